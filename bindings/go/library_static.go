// SPDX-License-Identifier: Apache-2.0

//go:build curfew_static

package curfew

// The library is linked from CGO_LDFLAGS, which name libcurfew.a, so a program does not need it where it runs.

// #cgo LDFLAGS: -lsodium -lsqlite3 -ljansson -lz -lm -ldl -lpthread
import "C"
