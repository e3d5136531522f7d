/* SPDX-License-Identifier: Apache-2.0 */
/* Help, version, man page and shell completions: every text that is made from the option table. */
#include "options.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows in memory, so that one write prints it and a failure is noticed. */
typedef struct page {
	FILE *stream;
	char *text;
	size_t length;
} page;

static bool page_begin(page *p)
{
	*p = (page){0};
	p->stream = open_memstream(&p->text, &p->length);
	return p->stream != NULL;
}

static int page_print(page *p)
{
	int code = CLI_EXIT_INTERNAL;
	if (fclose(p->stream) == 0)
		code = cli_print(p->text, p->length);
	else
		cli_say("out of memory");
	free(p->text);
	return code;
}

/* ---- Help ------------------------------------------------------------------------------------------------ */

enum { MEANING_COLUMN = 24, LINE_WIDTH = 100 };

/* "-o, --out FILE" */
static void format_heading(const cli_option *option, char *text, size_t size)
{
	char letter[8] = "";
	if (option->letter != 0)
		(void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
	(void)snprintf(text, size, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
	               option->argument != NULL ? option->argument : "");
}

/* Writes a text wrapped and indented by MEANING_COLUMN, where the cursor already is. */
static void write_wrapped(FILE *out, const char *text)
{
	int column = MEANING_COLUMN;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		if (column > MEANING_COLUMN && column + (int)length + 1 > LINE_WIDTH) {
			fprintf(out, "\n%*s", MEANING_COLUMN, "");
			column = MEANING_COLUMN;
		}
		int written = fprintf(out, "%s%.*s", column > MEANING_COLUMN ? " " : "", (int)length, text);
		column += written > 0 ? written : 0;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void write_option(FILE *out, const cli_option *option)
{
	char heading[64];
	char meaning[256];
	format_heading(option, heading, sizeof heading);
	bool has_default = option->default_text[0] != '\0';
	(void)snprintf(meaning, sizeof meaning, "%s%s%s%s%s", option->meaning, has_default ? " (default " : "",
	               option->default_text, has_default ? ")" : "", option->repeatable ? "; repeatable" : "");
	fprintf(out, "  %-*s", MEANING_COLUMN - 2, heading);
	/* A heading that reaches its meaning has a line of its own. */
	if (strlen(heading) >= MEANING_COLUMN - 2)
		fprintf(out, "\n%*s", MEANING_COLUMN, "");
	write_wrapped(out, meaning);
}

/* where: the machine whose time --fuel may give, this one or the server's; NULL: --fuel may not be a time. */
static void write_values(FILE *out, const char *where)
{
	fputs("\nDUR needs a unit: ns us ms s m h. SIZE: bytes, or KiB MiB GiB (K M G mean the same).\n"
	      "N may end in k M G (powers of ten). \"unlimited\" is the only way to say so.\n",
	      out);
	if (where != NULL)
		fprintf(out, "--fuel 250ms is as much fuel as that time is worth on %s.\n", where);
}

static void write_exit_codes(FILE *out)
{
	static const char *const names[] = {
#define X(name, value, text, exit_code, sentence) text,
		CURFEW_OUTCOME_LIST(X)
#undef X
	};
	fputs("\nExit codes:\n", out);
	for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++) {
		if (i == CURFEW_OUTCOME_BAD_PROGRAM)
			fprintf(out, "  %3d  %-12s the command line is wrong: nothing was run\n", CLI_EXIT_USAGE, "-");
		char code[16] = "n";
		if (i != CURFEW_OUTCOME_EXITED)
			(void)snprintf(code, sizeof code, "%d", curfew_outcome_exit_code((curfew_outcome)i));
		fprintf(out, "  %3s  %-12s %s\n", code, names[i], curfew_outcome_text((curfew_outcome)i));
	}
}

/* Exit codes of commands that ask a server; for submit --wait they are in addition. */
static void write_client_exit_codes(FILE *out, cli_command_id command)
{
	bool submits = command == CLI_SUBMIT;
	fputs(submits ? "\nWith --wait, the exit code is the outcome's. For the request itself:\n    0  accepted\n"
	              : "\nExit codes:\n    0  done\n",
	      out);
	if (!submits && command != CLI_PS)
		fprintf(out, "    1  there is no such %s\n",
		        command == CLI_PROGRAMS    ? "program"
		        : command == CLI_SCHEDULES ? "schedule"
		                                   : "run");
	fputs("    2  the command line is wrong, or the server refuses what was asked for\n", out);
	if (submits || command == CLI_PROGRAMS)
		fprintf(out, "    3  %s\n",
		        submits ? "the FILE cannot be read, or there is no program of that NAME"
		                : "the FILE cannot be read or loaded");
	fputs("  125  the server cannot be reached, does not accept the token, is full or fails\n", out);
	if (submits || command == CLI_LOGS)
		fputs("  130  left by SIGINT or SIGTERM\n", out);
}

int cli_print_help(cli_command_id command)
{
	page p;

	if (command == CLI_HELP)
		return cli_print_overview();
	if (!page_begin(&p)) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	const cli_command *c = &cli_commands[command];
	fprintf(p.stream, "Usage: curfew %s %s\n\n%s\n", c->name, c->usage, c->description);
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(command, options);
	for (size_t i = 0; i < count; i++) {
		bool is_limit = options[i].limit != NULL;
		if (i == 0 || is_limit != (options[i - 1].limit != NULL))
			fputs(is_limit ? "\nLimits:\n" : "\nOptions:\n", p.stream);
		write_option(p.stream, &options[i]);
	}

	if (count > 0 && options[0].limit != NULL)
		write_values(p.stream, command == CLI_RUN || command == CLI_BENCH ? "this machine (curfew calibrate)"
		                       : command == CLI_SUBMIT                    ? "the server's machine"
		                                                                  : NULL);
	if (command == CLI_RUN || command == CLI_SUBMIT)
		write_exit_codes(p.stream);
	if (cli_is_client(command))
		write_client_exit_codes(p.stream, command);
	return page_print(&p);
}

int cli_print_overview(void)
{
	page p;
	if (!page_begin(&p)) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	fputs(
		"Usage: curfew COMMAND ...\n\nRuns code you do not trust, under hard limits, and always gets control back.\n\n"
		"Commands:\n",
		p.stream);
	for (int i = 0; i < CLI_COMMANDS; i++)
		fprintf(p.stream, "  %-10s%s\n", cli_commands[i].name, cli_commands[i].summary);
	fputs("\nExample:\n  curfew run --timeout 1s --memory 32MiB script.js\n\n"
	      "Each command explains its options: curfew run --help. The manual: man curfew.\n",
	      p.stream);
	return page_print(&p);
}

int cli_print_version(void)
{
	char text[256];
	int length = snprintf(text, sizeof text, "curfew %s (wasmtime %s, quickjs %s)\n", curfew_version(),
	                      curfew_wasmtime_version(), curfew_quickjs_version());
	return cli_print(text, (size_t)length);
}

/* ---- Man page -------------------------------------------------------------------------------------------- */

/* Writes text for troff: hyphens stay hyphens, and a line cannot become a request. */
static void write_troff(FILE *out, const char *text)
{
	bool line_start = true;
	for (; *text != '\0'; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		line_start = *text == '\n';
	}
}

static void write_man_option(FILE *out, const cli_option *option)
{
	fputs(".TP\n", out);
	if (option->letter != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB\\-\\-", out);
	write_troff(out, option->name);
	fputs("\\fR", out);
	if (option->argument != NULL) {
		fputs(" \\fI", out);
		write_troff(out, option->argument);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	write_troff(out, option->meaning);
	if (option->default_text[0] != '\0') {
		fputs(". Default: ", out);
		write_troff(out, option->default_text);
	}

	if (option->repeatable)
		fputs(". May be repeated", out);
	if (option->limit != NULL) {
		char ceiling[32];
		curfew_limit_format(option->limit, option->limit->ceiling, ceiling, sizeof ceiling);
		fprintf(out, ". At most %s%s", ceiling, option->limit->may_be_unlimited ? ", or unlimited" : "");
	}

	fputs(".\n", out);
}

static void write_man_command(FILE *out, cli_command_id command)
{
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(command, options);
	fprintf(out, ".SS curfew %s ", cli_commands[command].name);
	write_troff(out, cli_commands[command].usage);
	fputc('\n', out);
	write_troff(out, cli_commands[command].description);
	fputc('\n', out);
	if (count > 0 && options[0].limit != NULL)
		fputs(".PP\nThe options of \\fBLIMITS\\fR, below, are options of this command too.\n", out);
	for (size_t i = 0; i < count; i++) {
		/* Limits are the same for all commands, and have a section of their own. So have --help and --version. */
		if (options[i].limit == NULL && options[i].id != CLI_OPTION_HELP && options[i].id != CLI_OPTION_VERSION)
			write_man_option(out, &options[i]);
	}
}

static void write_man_limits(FILE *out)
{
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(CLI_RUN, options);
	fputs(
		".SH LIMITS\nEvery command that runs a program takes these; for \\fBtoken\\fR they are ceilings. \\fIDUR\\fR needs a unit: ns us ms s m h. "
		"\\fISIZE\\fR is a number of bytes, or KiB MiB GiB (K M G mean the same). "
		"\\fIN\\fR may end in k M G, powers of ten. "
		"\\fB\\-\\-fuel 250ms\\fR, for \\fBrun\\fR, \\fBbench\\fR and \\fBsubmit\\fR, is as much fuel as that time is worth on this (or the server's) machine: "
		"see \\fBcurfew calibrate\\fR. "
		"Only the word \\fBunlimited\\fR lifts a limit; 0 is an error.\n",
		out);
	for (size_t i = 0; i < count; i++) {
		if (options[i].limit != NULL)
			write_man_option(out, &options[i]);
	}
}

static void write_man_code(FILE *out, int code, const char *name, const char *text)
{
	fprintf(out, ".TP\n.B %d\n%s: ", code, name);
	write_troff(out, text);
	fputs(".\n", out);
}

/* In the order of the codes; outcomes with the same code are in the order of the table. */
static void write_man_exit(FILE *out)
{
	fputs(".SH EXIT STATUS\nThat of \\fBcurfew run\\fR and \\fBcurfew submit \\-\\-wait\\fR is the outcome of the run. "
	      "Of other commands 0 means that it is done, and 1 that it is not; 2, 3 and 125 mean what they mean below. "
	      "The help of a command that asks a server lists its own.\n",
	      out);
	for (int code = 0; code <= UINT8_MAX; code++) {
		if (code == CLI_EXIT_USAGE)
			write_man_code(out, code, "usage", "the command line is wrong, and nothing was run");
		for (int i = 0; i < CURFEW_OUTCOME_COUNT; i++) {
			curfew_outcome outcome = (curfew_outcome)i;
			if (outcome != CURFEW_OUTCOME_EXITED && curfew_outcome_exit_code(outcome) == code)
				write_man_code(out, code, curfew_outcome_name(outcome), curfew_outcome_text(outcome));
		}
	}
	fprintf(out, ".TP\n.I n\n%s: ", curfew_outcome_name(CURFEW_OUTCOME_EXITED));
	write_troff(out, curfew_outcome_text(CURFEW_OUTCOME_EXITED));
	fputs(", which is passed on.\n", out);
}

static void write_man_environment(FILE *out)
{
	static const struct {
		const char *name, *meaning;
	} variables[] = {
		{"CURFEW_SECRETS_KEY", "The key of the file of secrets, 64 hexadecimal digits."},
		{"CURFEW_SECRETS_KEY_FILE", "A file that contains this key and that nobody else may read."},
		{"CURFEW_SERVER", "The address of the server, for submit, ps, logs, cancel, programs and schedules."},
		{"CURFEW_STORE", "The database of serve, token and admin, as --store gives it."},
		{"CURFEW_TOKEN", "The access token that commands send to the server."},
		{"NO_COLOR", "If it is not empty, no colour is used on a terminal."},
		{"XDG_CACHE_HOME", "Compiled code is kept in its directory curfew; by default in ~/.cache/curfew."},
		{"XDG_STATE_HOME", "The secrets and the server's database are kept in its directory curfew; by default in "
	                       "~/.local/state/curfew."},
	};
	fputs(".SH ENVIRONMENT\n", out);
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
		fprintf(out, ".TP\n.B %s\n", variables[i].name);
		write_troff(out, variables[i].meaning);
		fputc('\n', out);
	}
}

static void write_man(FILE *out)
{
	fprintf(out, ".TH CURFEW 1 \"\" \"curfew %s\" \"User Commands\"\n", curfew_version());
	/*
	 * Words are not hyphenated and lines not padded: names of options and files stay as they are typed. One space
	 * follows a sentence, wherever its line ends.
	 */
	fputs(".nh\n.ad l\n.ss 12 0\n.SH NAME\n", out);
	fputs("curfew \\- run code you do not trust, and always get control back\n.SH SYNOPSIS\n", out);
	for (int i = 0; i < CLI_COMMANDS; i++) {
		fprintf(out, "%s\\fBcurfew %s\\fR ", i > 0 ? ".br\n" : "", cli_commands[i].name);
		write_troff(out, cli_commands[i].usage);
		fputc('\n', out);
	}

	fputs(".SH DESCRIPTION\ncurfew runs JavaScript, TypeScript and WebAssembly under limits that the program can "
	      "neither see nor lift: time, CPU time, instructions, memory, stack and output. A program that exceeds one is "
	      "stopped from outside, and a report says what stopped it, where it was and how much of each limit it "
	      "had used. A program reaches no variable and no host but those that options name, and no file but those and "
	      "what it imports from its own directory.\n.PP\n"
	      "\\fBcurfew run\\fR runs a program here. \\fBcurfew serve\\fR runs programs for others, over HTTP; "
	      "\\fBsubmit\\fR, \\fBps\\fR, \\fBlogs\\fR, \\fBcancel\\fR, \\fBprograms\\fR and \\fBschedules\\fR ask such a "
	      "server. Every command takes \\fB\\-h\\fR, \\fB\\-\\-help\\fR, which explains it and its options, and "
	      "\\fB\\-\\-version\\fR.\n"
	      ".SH COMMANDS\n",
	      out);
	for (int i = 0; i < CLI_HELP; i++)
		write_man_command(out, (cli_command_id)i);
	write_man_limits(out);
	write_man_exit(out);
	fputs(".SH SIGNALS\nSIGINT and SIGTERM cancel the run; a second one skips the grace. The report still comes.\n",
	      out);
	write_man_environment(out);
	fputs(".SH EXAMPLES\n.EX\n"
	      "curfew run \\-\\-timeout 1s script.js\n"
	      "curfew run \\-\\-json \\-\\-memory 32MiB script.js\n"
	      "curfew run \\-\\-print \\-\\-params '[2, 3]' add.mjs\n"
	      "curfew compile script.js \\-o script.curfew && curfew run script.curfew\n"
	      "curfew submit \\-\\-wait \\-\\-timeout 1s script.js\n"
	      "curfew logs \\-f $(curfew submit script.js)\n.EE\n",
	      out);
}

/* ---- Completions ----------------------------------------------------------------------------------------- */

static void write_command_names(FILE *out)
{
	for (int i = 0; i < CLI_COMMANDS; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", cli_commands[i].name);
}

static bool takes_file(const cli_option *option)
{
	return option->argument != NULL && (strcmp(option->argument, "FILE") == 0 || strcmp(option->argument, "DIR") == 0 ||
	                                    strcmp(option->argument, "OTHER") == 0);
}

static void write_bash_command(FILE *out, cli_command_id command)
{
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(command, options);
	fprintf(out, "\t%s)\n\t\tcase \"$previous\" in\n", cli_commands[command].name);
	for (size_t i = 0; i < count; i++) {
		if (options[i].argument == NULL || takes_file(&options[i]))
			continue;
		fprintf(out, "\t\t--%s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", options[i].name,
		        options[i].values != NULL ? options[i].values : "");
	}
	fputs("\t\tesac\n", out);
	if (cli_commands[command].actions != NULL)
		fprintf(
			out,
			"\t\tif ((COMP_CWORD == 2)) && [[ $word != -* ]]; then COMPREPLY=($(compgen -W '%s' -- \"$word\")); return; fi\n",
			cli_commands[command].actions);
	fputs("\t\toptions='", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s--%s", i > 0 ? " " : "", options[i].name);
	fputs("'\n\t\t;;\n", out);
}

static void write_bash(FILE *out)
{
	fputs("# bash completion for curfew; generated from its option table\n_curfew()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} options=\n"
	      "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '",
	      out);
	write_command_names(out);
	fputs(" --help --version' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase \"${COMP_WORDS[1]}\" in\n", out);
	for (int i = 0; i < CLI_HELP; i++)
		write_bash_command(out, (cli_command_id)i);
	fputs("\thelp)\n\t\tCOMPREPLY=($(compgen -W '", out);
	write_command_names(out);
	fputs("' -- \"$word\"))\n\t\treturn\n\t\t;;\n\tesac\n"
	      "\tif [[ $word == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	      "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n\tfi\n}\n"
	      "complete -o filenames -F _curfew curfew\n",
	      out);
}

/* Writes text for single quotes of a shell; for zsh also for brackets and before a colon. */
static void write_quoted(FILE *out, const char *text, const char *escaped)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(escaped, *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void write_zsh_option(FILE *out, const cli_option *option, const char *dashes, const char *name)
{
	fprintf(out, "\t\t\t'%s%s%s%s[", option->repeatable ? "*" : "", dashes, name,
	        option->argument == NULL ? ""
	        : dashes[1] == '-'       ? "="
	                                 : "+");
	write_quoted(out, option->meaning, "[]:");
	fputc(']', out);
	if (option->argument != NULL) {
		fprintf(out, ":%s:", option->argument);
		if (option->values != NULL)
			fprintf(out, "(%s)", option->values);
		else if (takes_file(option))
			fputs("_files", out);
	}
	fputs("' \\\n", out);
}

static void write_zsh_command(FILE *out, cli_command_id command)
{
	cli_option options[CLI_OPTIONS_MAX];
	size_t count = cli_list_options(command, options);
	fprintf(out, "\t%s)\n\t\t_arguments \\\n", cli_commands[command].name);
	for (size_t i = 0; i < count; i++) {
		char letter[2] = {options[i].letter, '\0'};
		write_zsh_option(out, &options[i], "--", options[i].name);
		if (options[i].letter != 0)
			write_zsh_option(out, &options[i], "-", letter);
	}
	if (cli_commands[command].actions != NULL)
		fprintf(out, "\t\t\t'1:action:(%s)' \\\n", cli_commands[command].actions);
	fputs("\t\t\t'*:file:_files'\n\t\t;;\n", out);
}

static void write_zsh(FILE *out)
{
	fputs("#compdef curfew\n# zsh completion for curfew; generated from its option table\n_curfew()\n{\n"
	      "\tlocal -a commands\n\tcommands=(\n",
	      out);
	for (int i = 0; i < CLI_COMMANDS; i++) {
		fprintf(out, "\t\t'%s:", cli_commands[i].name);
		write_quoted(out, cli_commands[i].summary, "");
		fputs("'\n", out);
	}
	fputs("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tshift words\n\t((CURRENT--))\n\tcase ${words[1]} in\n",
	      out);
	for (int i = 0; i < CLI_HELP; i++)
		write_zsh_command(out, (cli_command_id)i);
	fputs("\thelp) _describe command commands ;;\n\tesac\n}\n_curfew \"$@\"\n", out);
}

static void write_fish_option(FILE *out, cli_command_id command, const cli_option *option)
{
	fprintf(out, "complete -c curfew -n '__fish_seen_subcommand_from %s' -l %s", cli_commands[command].name,
	        option->name);
	if (option->letter != 0)
		fprintf(out, " -s %c", option->letter);
	if (option->values != NULL)
		fprintf(out, " -x -a '%s'", option->values);
	else if (option->argument != NULL)
		fputs(takes_file(option) ? " -r -F" : " -x", out);
	fputs(" -d '", out);
	for (const char *at = option->meaning; *at != '\0'; at++) {
		if (*at == '\'' || *at == '\\')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputs("'\n", out);
}

static void write_fish(FILE *out)
{
	fputs("# fish completion for curfew; generated from its option table\n", out);
	for (int i = 0; i < CLI_COMMANDS; i++)
		fprintf(out, "complete -c curfew -f -n __fish_use_subcommand -a %s -d \"%s\"\n", cli_commands[i].name,
		        cli_commands[i].summary);
	for (int i = 0; i < CLI_HELP; i++) {
		cli_option options[CLI_OPTIONS_MAX];
		size_t count = cli_list_options((cli_command_id)i, options);
		if (cli_commands[i].actions != NULL)
			fprintf(out, "complete -c curfew -n '__fish_seen_subcommand_from %s' -a '%s'\n", cli_commands[i].name,
			        cli_commands[i].actions);
		for (size_t k = 0; k < count; k++)
			write_fish_option(out, (cli_command_id)i, &options[k]);
	}
}

int cli_generate(const char *kind)
{
	static const struct {
		const char *name;
		void (*write)(FILE *out);
	} kinds[] = {{"man", write_man}, {"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		page p;
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		if (!page_begin(&p))
			break;
		kinds[i].write(p.stream);
		return page_print(&p);
	}
	return cli_usage_error("--generate %s: must be one of: man bash zsh fish", kind);
}
