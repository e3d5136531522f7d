// SPDX-License-Identifier: Apache-2.0

package curfew

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// newClient asks the server that CURFEW_SERVER names.
func newClient(t *testing.T) *Client {
	address := os.Getenv("CURFEW_SERVER")
	if address == "" {
		t.Skip("CURFEW_SERVER names no server")
	}
	return &Client{URL: address, Retries: 3}
}

func TestClientRuns(t *testing.T) {
	client := newClient(t)
	report := must[*Report](t)(client.Run(background, Submission{Source: []byte("export default (a, b) => a + b"), Params: []any{40, 2}}))
	expect(t, "outcome and value", report.Outcome+" "+string(report.Value), "ok 42")
	report = must[*Report](t)(client.Run(background, Submission{Source: []byte("for (;;);"), Limits: map[string]string{"timeout": "100ms"}}))
	expect(t, "outcome", []any{report.Outcome, report.ExitCode}, []any{"deadline", 124})
	first := must[string](t)(client.Submit(background, Submission{Source: []byte("1"), IdempotencyKey: "once, in Go"}))
	again := must[string](t)(client.Submit(background, Submission{Source: []byte("1"), IdempotencyKey: "once, in Go"}))
	expect(t, "the same key", again, first)
}

func TestClientFollowsAndCancels(t *testing.T) {
	client := newClient(t)
	id := must[string](t)(client.Submit(background, Submission{Source: []byte("curfew.progress(1); for (;;);"), Limits: map[string]string{"timeout": "10m"}}))
	var kinds []string
	err := client.Events(background, id, "", func(event ServerEvent) error {
		kinds = append(kinds, event.Kind)
		if event.Kind == "progress" {
			expect(t, "progress", string(event.Data), "1")
			if report := must[*Report](t)(client.Cancel(background, id)); report != nil {
				expect(t, "outcome", report.Outcome, "cancelled")
			}
		}
		return nil
	})
	if err != nil || kinds[len(kinds)-1] != "report" {
		t.Fatal(err, kinds)
	}
	expect(t, "state", must[*ServerRun](t)(client.Get(background, id)).State, "done")
	expect(t, "cancelled again", must[*Report](t)(client.Cancel(background, id)).Outcome, "cancelled")
	failure := errors.New("enough")
	expect(t, "what a listener returns", client.Events(background, id, "", func(ServerEvent) error { return failure }), failure)
}

func TestClientPrograms(t *testing.T) {
	client := newClient(t)
	stored := must[*ServerProgram](t)(client.PutProgram(background, "add-go", []byte(addModule), "wat"))
	expect(t, "kind", stored.Kind, "module")
	expect(t, "hash", must[*ServerProgram](t)(client.GetProgram(background, "add-go")).SHA256, stored.SHA256)
	report := must[*Report](t)(client.Run(background, Submission{Program: "add-go", Call: "add", Params: []any{1, 2}}))
	expect(t, "value", string(report.Value), "3")
	found := false
	for _, program := range must[[]ServerProgram](t)(client.Programs(background)) {
		found = found || program.Name == "add-go"
	}
	expect(t, "listed", found, true)
	if err := client.DeleteProgram(background, "add-go"); err != nil {
		t.Fatal(err)
	}
	var problem *Problem
	_, err := client.GetProgram(background, "add-go")
	expect(t, "a missing program", errors.As(err, &problem) && problem.Status == 404, true)
	expect(t, "nodes", must[[]ServerNode](t)(client.Nodes(background))[0].State, "active")
	expect(t, "figures", json.Valid(must[json.RawMessage](t)(client.Stats(background))), true)
}

func TestClientListsOverPages(t *testing.T) {
	client := newClient(t)
	wanted := map[string]bool{}
	for i := 0; i < 5; i++ {
		id := must[string](t)(client.Submit(background, Submission{Source: []byte("1")}))
		must[*Report](t)(client.Wait(background, id))
		wanted[id] = true
	}
	err := client.Runs(background, url.Values{"limit": {"2"}, "state": {"done"}}, func(run ServerRun) bool {
		delete(wanted, run.ID)
		return len(wanted) > 0
	})
	if err != nil || len(wanted) > 0 {
		t.Fatal(err, wanted)
	}
}

func TestClientRefusals(t *testing.T) {
	client := newClient(t)
	var problem *Problem
	_, err := client.Submit(background, Submission{Source: []byte("1"), Limits: map[string]string{"timeout": "soon"}})
	expect(t, "the field at fault", errors.As(err, &problem) && strings.Contains(problem.Pointer, "timeout"), true)
	for _, wrong := range []Submission{{}, {Source: []byte("1"), Program: "x"}, {Source: []byte("1"), Params: []any{func() {}}}} {
		_, err := client.Submit(background, wrong)
		expect(t, "a wrong submission", errors.Is(err, ErrInvalid), true)
	}
	_, err = (&Client{URL: "127.0.0.1:7433"}).Get(background, "x")
	expect(t, "a wrong URL", errors.Is(err, ErrInvalid), true)
	_, err = (&Client{URL: "http://127.0.0.1:1"}).Get(background, "x")
	expect(t, "no server", err != nil, true)
	ended, cancel := context.WithTimeout(background, time.Nanosecond)
	defer cancel()
	_, err = client.Get(ended, "x")
	expect(t, "a context that has ended", errors.Is(err, context.DeadlineExceeded), true)
}
