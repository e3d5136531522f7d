// SPDX-License-Identifier: Apache-2.0
module hello

go 1.21
