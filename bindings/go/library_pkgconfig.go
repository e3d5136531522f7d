// SPDX-License-Identifier: Apache-2.0

//go:build !curfew_static

package curfew

// #cgo pkg-config: curfew
import "C"
