// expect: deadline threw
// SPDX-License-Identifier: Apache-2.0
for (;;) /^(?:[\p{L}--[a-z]]|[\p{L}&&[a-z]]|\p{RGI_Emoji})+$/v.test('é'.repeat(3000) + '!')
