#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a node on a PostgreSQL with a long history: bench/history_postgres.py --build build [--runs 1000000]

Executes some runs, then copies their rows in the database until there are that many ended runs of ten tokens. Then it
measures the start, lists with every filter and with filters that match nothing, and how long durable submissions take:
alone, beside lists, and while retention drops a half of the history. --plans prints the plans of the lists' queries.
"""

import os
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from history import OWNERS, PROGRAMS, SCHEDULES, Server, make_models, make_parser, make_tokens  # noqa: E402
from history import measure_reading, quantiles, submit_for  # noqa: E402

from integration.postgres import Postgres  # noqa: E402

# Program, schedule and number of the outcome of lists.
FILTERS = [
    (None, None, None),
    ("p7", None, None),
    ("none", None, None),
    (None, "s3", None),
    (None, "none", None),
    (None, None, 0),
    (None, None, 1),
    (None, None, 17),
    ("p7", "s3", None),
    ("p7", None, 1),
    ("p7", None, 17),
    (None, "s3", 1),
    (None, "s3", 17),
]

# Rows like the model of their number: most runs succeeded, and the others are of few kinds. Two thirds have a source of
# their own. One token has a third of all.
COPY = """SET search_path=curfew; SET synchronous_commit=off; SET session_replication_role=replica;
CREATE TEMP TABLE models AS SELECT row_number() OVER (ORDER BY number)-1 AS model, * FROM runs WHERE state=4;
CREATE TEMP TABLE made AS SELECT i, 1000+i AS number, CASE WHEN i%10<>0 THEN 0 ELSE 1+i/10%(SELECT count(*)-1 FROM models)
  END AS model, (extract(epoch FROM now())*1000)::bigint-({count}-i)*500 AS ms FROM generate_series(1, {count}) AS i;
CREATE FUNCTION pg_temp.letters(n bigint, size int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT string_agg(substr(
  '0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((n>>(5*place))&31)::int+1, 1), '' ORDER BY place DESC)
  FROM generate_series(0, size-1) AS place $$;
INSERT INTO sources SELECT encode(sha256(i::text::bytea), 'hex'), (SELECT language FROM models LIMIT 1), convert_to('/* '||i
  ||' */'||repeat(' ', 300), 'UTF8') FROM made WHERE i%3<>0;
INSERT INTO runs({columns}) SELECT {values} FROM made JOIN models m ON m.model=made.model;
INSERT INTO reports SELECT made.number, p.part, p.data FROM made JOIN models m ON m.model=made.model JOIN reports p ON
  p.run=m.number;
SELECT setval('runs_number_seq', 2000+{count}); VACUUM ANALYZE;"""


def copy_rows(postgres, count, owners):
    names = postgres.query(
        "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_schema='curfew' AND table_name='runs'"
    ).split()
    listed = "(ARRAY['" + "','".join(owners) + "'])"
    changed = {
        "number": "made.number",
        "id": "pg_temp.letters(made.ms, 10)||pg_temp.letters(made.i, 16)",
        "owner": f"{listed}[CASE WHEN i%3=0 THEN 1 ELSE 1+i%{OWNERS} END]",
        "program": f"CASE WHEN i%3=0 THEN 'p'||(i::bigint*7919)%{PROGRAMS} END",
        "sha256": "CASE WHEN i%3=0 THEN m.sha256 ELSE encode(sha256(i::text::bytea), 'hex') END",
        "schedule": f"CASE WHEN i%5=0 THEN 's'||i%{SCHEDULES} END",
        "key": "NULL",
        "created_us": "ms*1000-1000",
        "started_us": "ms*1000-900",
        "ended_us": "ms*1000",
    }
    values = ", ".join(changed.get(name, f"m.{name}") for name in names)
    text = COPY.format(count=count, columns=", ".join(names), values=values)
    for statement in text[: text.rindex("VACUUM")], "VACUUM ANALYZE":
        postgres.query(statement)


def print_plans(postgres, owner):
    for program, schedule, outcome in FILTERS:
        for who in (None, owner):
            words = ["true"] + [f"owner='{who}'"] * bool(who) + [f"program='{program}'"] * bool(program)
            words += [f"schedule='{schedule}'"] * bool(schedule)
            words += [f"state=4 AND outcome={outcome}" + " AND outcome<>0" * (outcome != 0)] * (outcome is not None)
            sql = f"SELECT * FROM curfew.runs WHERE {' AND '.join(words)} ORDER BY id DESC LIMIT 51"
            print(sql, postgres.query(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}"), sep="\n", flush=True)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--plans", action="store_true")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="curfew-history-")
    postgres = Postgres("fsync=on", "shared_buffers=512MB", "max_wal_size=4GB")
    place = ["--store", postgres.url("postgres")]
    kept = [*place, "--retention-size", "1024GiB", "--retention-age", "8760h"]
    data = os.path.join(directory, "data")
    try:
        admin, tokens = make_tokens(arguments.build, place)
        with Server(arguments.build, data, *kept) as server:
            make_models(server, tokens[0])
        copy_rows(postgres, arguments.runs, [token.split("_")[1] for token in tokens])
        if arguments.plans:
            print_plans(postgres, tokens[0].split("_")[1])
        with Server(arguments.build, data, *kept) as server:
            print(f"{arguments.runs} ended runs; start: {server.start_s:.2f} s", flush=True)
            measure_reading(server, admin, tokens[0], arguments.seconds)
        history = int(postgres.query("SELECT sum(bytes)::bigint FROM curfew.runs"))
        with Server(arguments.build, data, *place, "--retention-size", str(history // 2)) as server:
            took = submit_for(server, tokens[0], arguments.seconds)
            left = int(postgres.query("SELECT count(*) FROM curfew.runs"))
            print(
                f"submissions, while retention drops runs ({arguments.runs + len(took) - left} so far): {quantiles(took)}"
            )
    finally:
        postgres.process.send_signal(signal.SIGINT)
        postgres.close()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
