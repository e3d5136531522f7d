module bench

go 1.19

require curfew v0.0.0

replace curfew => ../../../bindings/go
