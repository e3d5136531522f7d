// expect: threw deadline memory
// SPDX-License-Identifier: Apache-2.0
new RegExp('(?:a{1000}){1000}'.repeat(500)); for (;;) new RegExp('(a{0,500}){0,500}').exec('b'.repeat(500) + 'a'.repeat(20000))
