/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a report. Every string of a report is an allocation of its own that curfew_report_destroy frees; the
 * functions here copy what they are given. What comes from the guest is repaired on the way in (UTF-8, bounds), so
 * that every reader of a report may trust its form.
 *
 * Each setter returns false, and leaves the field as it was, when the host is out of memory.
 */
#ifndef CURFEW_REPORT_REPORT_H
#define CURFEW_REPORT_REPORT_H

#include "base/budget.h"
#include "curfew.h"

/* The maximum number of frames in a report, innermost first. */
#define CURFEW__FRAMES_MAX 64
/* The maximum length of a function or file name in a frame. */
#define CURFEW__FRAME_TEXT_MAX 256
/* The maximum lengths of an error's name and message. */
#define CURFEW__ERROR_NAME_MAX 256
#define CURFEW__ERROR_MESSAGE_MAX 65536
/* The maximum length of a source line. */
#define CURFEW__SOURCE_LINE_MAX 4096

/* An empty report (outcome ok, limits and usage 0, fuel not metered) with a fresh id; NULL: out of memory. */
curfew_report *curfew__report_create(void);

bool curfew__report_set_program(curfew_report *report, const char *name, const char *kind, const char *sha256);

/* JSON text of the value or the partial result. Also false, with nothing set, if it is not one JSON text. */
bool curfew__report_set_value(curfew_report *report, const char *json, size_t length);
bool curfew__report_set_partial(curfew_report *report, const char *json, size_t length);

/* Name and message of the error (each may be NULL: none); sets has_error. */
bool curfew__report_set_error(curfew_report *report, const char *name, size_t name_length, const char *message,
                              size_t message_length);

/* The maximum number of errors within one error, all together, and their depth. */
#define CURFEW__ERRORS_MAX 128
#define CURFEW__ERROR_NESTING_MAX 16

/*
 * What the error holds, as the guest describes it: the JSON text of { properties, cause, errors }, where an error is
 * { name, message, trace, properties, cause, errors } and all may be missing. Also false, with nothing set, if it is
 * not exactly that.
 */
bool curfew__report_set_error_details(curfew_report *report, const char *json, size_t length);

/* Sets why there is no value. */
bool curfew__report_set_value_note(curfew_report *report, const char *text, size_t length);

/* Frees what errors hold, and `count` of them themselves. */
void curfew__report_free_errors(const curfew_error *errors, size_t count);

/* Frames from a trace, as curfew__report_parse_trace reads it; false: out of memory. */
bool curfew__report_frames_of(const char *text, size_t length, const curfew_frame **frames, size_t *count);

/*
 * The frames, from the engine's trace: lines "    at NAME (FILE:LINE:COL)", "    at NAME (native)" and
 * "    at FILE:LINE:COL". Lines of another form are skipped; a file that begins with "curfew:" makes a native frame.
 * Sets has_error if there is a frame, and replaces frames set before.
 */
bool curfew__report_parse_trace(curfew_report *report, const char *text, size_t length);

/* Appends a copy of a WebAssembly frame, outermost last; more than CURFEW__FRAMES_MAX are left out. Sets has_error. */
bool curfew__report_add_frame(curfew_report *report, const curfew_frame *frame);

/* The frame that source_line is of: the first one in a text of the program's or one that it imports; NULL: there is
 * none. */
const curfew_frame *curfew__report_placed_frame(const curfew_report *report);

/*
 * Takes line number `line` (from 1) out of the source as the report's source_line; nothing if there is none, or if the
 * budget was spent before it was found.
 */
bool curfew__report_set_source_line(curfew_report *report, const char *source, size_t length, uint32_t line,
                                    curfew__budget *budget);

/* What the program wrote. With truncated, a character cut in two at the end is dropped. */
bool curfew__report_set_output(curfew_report *report, const char *stdout_text, size_t stdout_length,
                               const char *stderr_text, size_t stderr_length, bool truncated);

/*
 * Replaces each text that came from the guest, but for the output and the partial result, by what the function makes
 * of it (memory of malloc's; NULL: nothing is left of it). What is replaced is wiped. `most` is what such a text is
 * cut at, 0 for the value, which is JSON.
 */
typedef char *(*curfew__report_change)(void *context, const char *text, size_t most);
void curfew__report_change_texts(curfew_report *report, curfew__report_change change, void *context);

/* Appends a limit to the tripped ones, unless it is there. */
void curfew__report_add_tripped(curfew_report *report, curfew_outcome outcome);

#endif
