// SPDX-License-Identifier: Apache-2.0

package curfew

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client is a client of curfew serve (docs/openapi.json of the project). It may be used by any goroutines at once.
type Client struct {
	URL     string       // "http://127.0.0.1:7433"
	Token   string       // sent as Authorization: Bearer; "": none
	Retries int          // how often a request is repeated, if repeating it is safe and may help
	HTTP    *http.Client // nil: http.DefaultClient
}

// Problem is the error of a request that the server refused, with the fields of problem+json.
type Problem struct {
	Status  int    // of HTTP
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Type    string `json:"type"`
	Pointer string `json:"pointer"` // JSON pointer of the invalid field
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// again says whether the request may be repeated: the server is starting or full, or gets too many requests.
func (p *Problem) again() bool { return p.Status == 429 || p.Status == 503 }

// Submission is a run for a server. Set either Source or Program.
type Submission struct {
	Source  []byte            // as a program's Source; WebAssembly is recognised by its header
	Lang    string            // "js", "mjs", "wasm", "wat"; "": by the bytes' header, else "js"
	Program string            // the name of a stored program
	Call    string            // exported or global function to call
	Params  []any             // the call's arguments; JSON
	Limits  map[string]string // by the names of the command line: "timeout": "1s"
	More    map[string]any    // further fields of the API: user, delay, priority, retry, allow_fetch...

	// IdempotencyKey makes a repetition safe: the server never runs the same key twice. With a key, the request is
	// repeated if that may help.
	IdempotencyKey string
}

// ServerRun is a run in the form that the server returns.
type ServerRun struct {
	ID     string  `json:"id"`
	State  string  `json:"state"` // "scheduled", "queued", "running", "stopping" or "done"
	Report *Report `json:"report"`
}

// ServerProgram is a stored program.
type ServerProgram struct {
	Name    string          `json:"name"`
	SHA256  string          `json:"sha256"`
	Kind    string          `json:"kind"`
	Exports json.RawMessage `json:"exports"`
}

// ServerNode is one of the servers that share a database. A single server is one too.
type ServerNode struct {
	Number    uint64 `json:"node"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	Address   string `json:"address"`
	State     string `json:"state"` // "active", "draining" or "over"
	Capacity  uint64 `json:"capacity"`
	Running   uint64 `json:"running"`
	StartedMS int64  `json:"started_ms"`
	LeaseMS   int64  `json:"lease_ms"`
}

// ServerEvent is one event of a run's stream.
type ServerEvent struct {
	ID   string
	Kind string          // "state", "progress", "checkpoint", "output" or "report"
	Data json.RawMessage // its JSON
}

// ---- Requests

func (c *Client) send(ctx context.Context, method, path string, body []byte, headers map[string]string) (*http.Response, error) {
	address, err := url.Parse(c.URL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.User != nil {
		return nil, invalid("%q is not the URL of a server: http://HOST:PORT", c.URL)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil || response.StatusCode < 400 {
		return response, err
	}
	defer response.Body.Close()
	problem := &Problem{Title: response.Status}
	_ = json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(problem) // if it is not JSON, the title stays the status
	problem.Status = response.StatusCode
	return nil, problem
}

// pause waits before another attempt. false: there will be none.
func (c *Client) pause(ctx context.Context, attempt int, err error) bool {
	var problem *Problem
	var refused *Error
	if attempt >= c.Retries || ctx.Err() != nil || errors.As(err, &refused) || errors.As(err, &problem) && !problem.again() {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(100 * time.Millisecond << min(attempt, 5)):
		return true
	}
}

// ask decodes the JSON of the answer into answer (nil: it is dropped).
func (c *Client) ask(ctx context.Context, method, path string, body []byte, headers map[string]string, safe bool, answer any) error {
	for attempt := 0; ; attempt++ {
		response, err := c.send(ctx, method, path, body, headers)
		if err == nil {
			var data []byte
			data, err = io.ReadAll(response.Body)
			response.Body.Close()
			if err == nil && (answer == nil || len(data) == 0) {
				return nil
			}
			if err == nil {
				return json.Unmarshal(data, answer)
			}
		}
		if !safe || !c.pause(ctx, attempt, err) {
			return err
		}
	}
}

// ---- Runs

func (s *Submission) fields() (map[string]any, error) {
	fields := map[string]any{}
	for name, value := range s.More {
		fields[name] = value
	}
	if (s.Source == nil) == (s.Program == "") {
		return nil, invalid("give either a source or the name of a stored program")
	}
	lang := s.Lang
	switch {
	case s.Program != "":
		fields["program"] = s.Program
	case bytes.HasPrefix(s.Source, []byte("\x00asm")):
		fields["source"], lang = base64.StdEncoding.EncodeToString(s.Source), "wasm"
	default:
		fields["source"] = string(s.Source)
	}
	if lang != "" {
		fields["lang"] = lang
	}
	if s.Call != "" {
		fields["call"] = s.Call
	}
	if len(s.Params) > 0 {
		fields["params"] = s.Params
	}
	if len(s.Limits) > 0 {
		fields["limits"] = s.Limits
	}
	return fields, nil
}

// Submit submits a run and returns its id.
func (c *Client) Submit(ctx context.Context, submission Submission) (string, error) {
	fields, err := submission.fields()
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return "", invalid("the submission has no JSON: %v", err)
	}
	headers := map[string]string{"Content-Type": "application/json"}
	if submission.IdempotencyKey != "" {
		headers["Idempotency-Key"] = submission.IdempotencyKey
	}
	var answer ServerRun
	err = c.ask(ctx, "POST", "/v1/runs", body, headers, submission.IdempotencyKey != "", &answer)
	return answer.ID, err
}

// Run submits a run and waits for its report.
func (c *Client) Run(ctx context.Context, submission Submission) (*Report, error) {
	id, err := c.Submit(ctx, submission)
	if err != nil {
		return nil, err
	}
	return c.Wait(ctx, id)
}

// Get returns a run.
func (c *Client) Get(ctx context.Context, id string) (*ServerRun, error) {
	run := new(ServerRun)
	return run, c.ask(ctx, "GET", "/v1/runs/"+url.PathEscape(id), nil, nil, true, run)
}

// Runs calls each with the runs, newest first, page by page, until it returns false. filters: state, program, outcome, limit.
func (c *Client) Runs(ctx context.Context, filters url.Values, each func(ServerRun) bool) error {
	query := url.Values{}
	for name, values := range filters {
		query[name] = values
	}
	for {
		var page struct {
			Runs []ServerRun `json:"runs"`
			Next *string     `json:"next"`
		}
		if err := c.ask(ctx, "GET", "/v1/runs?"+query.Encode(), nil, nil, true, &page); err != nil {
			return err
		}
		for _, run := range page.Runs {
			if !each(run) {
				return nil
			}
		}
		if page.Next == nil {
			return nil
		}
		query.Set("after", *page.Next)
	}
}

// Wait waits for the report of a run, also across a restart of the server.
func (c *Client) Wait(ctx context.Context, id string) (*Report, error) {
	var report *Report
	err := c.Events(ctx, id, "", func(event ServerEvent) error {
		if event.Kind != "report" {
			return nil
		}
		report = new(Report)
		return json.Unmarshal(event.Data, report)
	})
	if err == nil && report == nil {
		var run *ServerRun
		if run, err = c.Get(ctx, id); err == nil {
			report = run.Report
		}
	}
	return report, err
}

// Cancel cancels a run and returns its report, even if it had ended before. The report is nil while the run is
// stopping.
func (c *Client) Cancel(ctx context.Context, id string) (*Report, error) {
	var answer json.RawMessage
	var head struct {
		Schema string `json:"schema"`
	}
	if err := c.ask(ctx, "DELETE", "/v1/runs/"+url.PathEscape(id), nil, nil, true, &answer); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(answer, &head); err != nil || head.Schema == "" {
		return nil, err
	}
	report := new(Report)
	return report, json.Unmarshal(answer, report)
}

// errStop ends a stream without an error.
var errStop = errors.New("no more of it is wanted")

// Events calls each with a run's events, from the first one or from the one after lastEventID, up to its report. A
// broken stream is resumed. If each returns an error, Events ends and returns it.
func (c *Client) Events(ctx context.Context, id, lastEventID string, each func(ServerEvent) error) error {
	var failed error
	for failures := 0; ; failures++ {
		headers := map[string]string{"Accept": "text/event-stream"}
		if lastEventID != "" {
			headers["Last-Event-ID"] = lastEventID
		}
		response, err := c.send(ctx, "GET", "/v1/runs/"+url.PathEscape(id)+"/events", nil, headers)
		if err == nil {
			err = readEvents(response.Body, func(event ServerEvent) error {
				failures = 0
				if event.ID != "" {
					lastEventID = event.ID
				}
				if failed = each(event); failed == nil && event.Kind == "report" {
					return errStop
				}
				return failed
			})
			response.Body.Close()
			if response.StatusCode == http.StatusNoContent || err == errStop {
				return nil
			}
			if failed != nil {
				return failed
			}
		}
		if !c.pause(ctx, failures, err) {
			if err == nil {
				err = fmt.Errorf("curfew: the events of run %s end without a report", id)
			}
			return err
		}
	}
}

// readEvents reads a stream in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html.
func readEvents(stream io.Reader, each func(ServerEvent) error) error {
	reader := bufio.NewReader(stream)
	event, lines := ServerEvent{}, []string{}
	for {
		line, err := reader.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if len(lines) > 0 {
				event.Data = json.RawMessage(strings.Join(lines, "\n"))
				if err := each(event); err != nil {
					return err
				}
			}
			event, lines = ServerEvent{ID: event.ID}, lines[:0]
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			lines = append(lines, value)
		case "event":
			event.Kind = value
		case "id":
			event.ID = value
		}
	}
}

// ---- Programs

// PutProgram stores a program. Storing the same bytes again changes nothing. language "": by the bytes' header, else "js".
func (c *Client) PutProgram(ctx context.Context, name string, source []byte, language string) (*ServerProgram, error) {
	if language == "" {
		language = "js"
		if bytes.HasPrefix(source, []byte("\x00asm")) {
			language = "wasm"
		}
	}
	kind := map[string]string{"wasm": "application/wasm", "js": "text/javascript", "mjs": "text/javascript"}[language]
	if kind == "" {
		kind = "text/plain"
	}
	program := new(ServerProgram)
	path := "/v1/programs/" + url.PathEscape(name) + "?lang=" + url.QueryEscape(language)
	return program, c.ask(ctx, "PUT", path, source, map[string]string{"Content-Type": kind}, true, program)
}

// Programs returns all stored programs.
func (c *Client) Programs(ctx context.Context) ([]ServerProgram, error) {
	var answer struct {
		Programs []ServerProgram `json:"programs"`
	}
	err := c.ask(ctx, "GET", "/v1/programs", nil, nil, true, &answer)
	return answer.Programs, err
}

// GetProgram returns a stored program; a Problem of status 404 if there is none.
func (c *Client) GetProgram(ctx context.Context, name string) (*ServerProgram, error) {
	program := new(ServerProgram)
	return program, c.ask(ctx, "GET", "/v1/programs/"+url.PathEscape(name), nil, nil, true, program)
}

// DeleteProgram removes a stored program; runs that were accepted continue.
func (c *Client) DeleteProgram(ctx context.Context, name string) error {
	return c.ask(ctx, "DELETE", "/v1/programs/"+url.PathEscape(name), nil, nil, true, nil)
}

// Nodes returns the servers that share the database of this one. Needs the scope admin.
func (c *Client) Nodes(ctx context.Context) ([]ServerNode, error) {
	var answer struct {
		Nodes []ServerNode `json:"nodes"`
	}
	err := c.ask(ctx, "GET", "/v1/nodes", nil, nil, true, &answer)
	return answer.Nodes, err
}

// Stats returns figures of the server.
func (c *Client) Stats(ctx context.Context) (json.RawMessage, error) {
	var stats json.RawMessage
	err := c.ask(ctx, "GET", "/v1/stats", nil, nil, true, &stats)
	return stats, err
}
