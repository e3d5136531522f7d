# SPDX-License-Identifier: Apache-2.0
"""The Helm chart and the Compose file: Kubernetes and Docker accept their results, and so does curfew."""

import base64
import glob
import json
import os
import shutil
import subprocess
import sys

from . import pinned
from .harness import ROOT, Skipped, Test, expect, expect_equal, shorten
from .serving import check_dashboard

HELM, HELM_VERSION = "helm.sh/helm/v3/cmd/helm", "v3.19.5"
KUBERNETES = "1.30.0"
CHART = os.path.join(ROOT, "packaging", "helm", "curfew")
STORE = ("--set", "store.existingSecret=database")
# Each set of values with the expected objects, by kind.
USES = {
    "usual": ((), {"Deployment": 1, "Service": 1, "PodDisruptionBudget": 1, "Job": 1, "HorizontalPodAutoscaler": 0}),
    "all": (
        (
            "--set=autoscaling.enabled=true,ingress.enabled=true,ingress.tlsSecret=web,metrics.dashboard.enabled=true",
            "--set=secrets.existingSecret=users",
            "--set=tls.existingSecret=tls,imagePullSecrets[0].name=pull",
            "--set=allowFetch={api.example.com,*.example.org},allowWebhook={hooks.example.com}",
            "--set=settings.max-timeout=5m,firstToken.enabled=false,podLabels.team=a,podAnnotations.b=c",
        ),
        {"Deployment": 1, "HorizontalPodAutoscaler": 1, "Ingress": 1, "ConfigMap": 2, "Job": 0},
    ),
}
VALIDATE = """
import json, sys, yaml, kubernetes_validate
for document in yaml.safe_load_all(sys.stdin):
    if document:
        for version in ("1.30", "1.35"):
            kubernetes_validate.validate(document, version, strict=True)
        print(json.dumps(document))
"""


def helm(context, *words, code=0):
    directory = pinned.go_command("helm", HELM, HELM_VERSION)
    home = context.directory()
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    done = subprocess.run(
        [os.path.join(directory, "helm"), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    expect_equal(
        f"helm {' '.join(words)}: exit (said {shorten(done.stdout + done.stderr, 1500)})", done.returncode, code
    )
    return done.stdout if code == 0 else done.stderr


def check_documents(text):
    """Every object conforms to the API of Kubernetes."""
    packages = pinned.python_packages("kubernetes-validate", "kubernetes-validate", "kubernetes.txt")
    environment = {**os.environ, "PYTHONPATH": packages}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", VALIDATE],
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    expect_equal(f"documents: {shorten(done.stderr[-1500:], 1500)}", done.returncode, 0)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def chart(context, use):
    options, wanted = USES[use]
    helm(context, "lint", "--strict", CHART, *STORE, *options)
    text = helm(context, "template", "shop", CHART, "--kube-version", KUBERNETES, *STORE, *options)
    documents = check_documents(text)
    kinds = [document["kind"] for document in documents]
    for kind, count in wanted.items():
        expect_equal(kind, kinds.count(kind), count)
    for document in documents:
        expect(document["metadata"]["name"].startswith("shop-curfew"), f"{document['metadata']}")
        check_pod(document.get("spec", {}).get("template"))
    check_settings(context, next(d for d in documents if "curfew.conf" in d.get("data", {})))
    for document in documents:
        if document["kind"] == "ConfigMap" and "curfew-fleet.json" in document["data"]:
            expect(len(json.loads(document["data"]["curfew-fleet.json"])["panels"]) > 10, "the dashboard is empty")


def check_pod(template):
    """A pod has as few rights as possible, and the database's address is not visible to others."""
    if template is None:
        return
    spec = template["spec"]
    expect(not spec["automountServiceAccountToken"], f"{spec}")
    for container in spec["containers"]:
        own = container["securityContext"]
        expect(own["runAsNonRoot"] and own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"], f"{own}")
        expect_equal("capabilities", own["capabilities"], {"drop": ["ALL"]})
        expect("env" not in container, f"{container}")
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            expect(probe in container or "serve" not in container["args"], f"no {probe}")
    mounted = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
    expect_equal("volumes", {volume["name"] for volume in spec["volumes"]}, mounted)


def check_settings(context, settings):
    """curfew serve accepts the settings. It complains only about directories and hosts that are missing here."""
    path = os.path.join(context.directory(), "curfew.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(settings["data"]["curfew.conf"])
    done = context.command([context.curfew, "serve", "--config", path, "--listen", "127.0.0.1:0"], timeout=20)
    said = done.err.decode()
    expect(done.code != 0 and "is not a setting" not in said and "line " not in said, f"{done}")


def refusals(context):
    """One line names the invalid value."""
    for options, text in (
        ((), "store.existingSecret"),
        ((*STORE, "--set", "replicas=0"), "replicas"),
        ((*STORE, "--set", "store.password=x"), "password"),
        ((*STORE, "--set", "secrets.value=x"), "value"),
        ((*STORE, "--set", "autoscaling.queuedPerNode=many"), "queuedPerNode"),
        ((*STORE, "--set", "metrics.serviceMonitor.enabled=true"), "tokenSecret"),
    ):
        said = helm(context, "template", "shop", CHART, "--kube-version", KUBERNETES, *options, code=1)
        expect(text in said, f"{options}: {said}")


def fleet(context):
    check_dashboard(context, os.path.join(CHART, "dashboards", "fleet.json"), 15)


def compose_reader():
    """Built from tests/deploy, which uses the parser of Docker's own command."""
    if shutil.which("go") is None:
        raise Skipped("missing: go, to read the Compose file as Docker does")
    source = os.path.join(ROOT, "tests", "deploy")
    with open(os.path.join(source, "go.sum"), "rb") as file:
        version = base64.b32encode(file.read())[-24:].decode().strip("=").lower()
    command = ("go", "build", "-o", "{}/compose", ".")
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath"}
    directory = pinned.make(
        pinned.place("compose", version), "compose-go", *command, cwd=source, environment=environment, timeout=600
    )
    return os.path.join(directory, "compose")


def compose(context):
    reader, directory = compose_reader(), context.directory()
    shutil.copy(os.path.join(ROOT, "packaging", "compose", "compose.yaml"), directory)
    os.mkdir(os.path.join(directory, "secrets"))
    for name in ("password", "store"):
        with open(os.path.join(directory, "secrets", name), "w", encoding="ascii") as file:
            file.write("x")
    path = os.path.join(directory, "compose.yaml")
    done = context.command([reader, path])
    expect_equal(f"exit: {done}", done.code, 0)
    services = json.loads(done.out)["services"]
    expect_equal("services", sorted(services), ["database", "first-token", "node"])
    node = services["node"]
    expect_equal("nodes", node["deploy"]["replicas"], 3)
    ports = {port["published"] for port in node["ports"]}
    expect_equal("ports", ports, {"7433-7435"} if len(ports) == 1 else {"7433", "7434", "7435"})
    for name in ("node", "first-token"):
        expect(services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"], f"{services[name]}")
        expect("environment" not in services[name] or not services[name]["environment"], f"{services[name]}")
    # The options are valid for the command: with --help they are parsed, and nothing is started.
    for name in ("node", "first-token"):
        done = context.command([context.curfew, *services[name]["command"], "--help"])
        expect_equal(f"{name}: {done}", done.code, 0)
    with open(path, "a", encoding="utf-8") as file:
        file.write("\nservice: {}\n")
    done = context.command([reader, path])
    expect(done.code == 1 and b"service" in done.err, f"{done}")


def files(context):
    for path in glob.glob(os.path.join(CHART, "**", "*"), recursive=True):
        if path.endswith((".yaml", ".tpl")):
            with open(path, encoding="utf-8") as file:
                expect("SPDX-License-Identifier: Apache-2.0" in file.read(400), path)


def tests(context):
    return [
        *(Test("deploy", f"chart_{use}", lambda context, use=use: chart(context, use)) for use in USES),
        Test("deploy", "chart_refusals", refusals),
        Test("deploy", "fleet", fleet),
        Test("deploy", "compose", compose),
        Test("deploy", "files", files),
    ]
