// expect: deadline threw
for (;;) /^(?:[\p{L}--[a-z]]|[\p{L}&&[a-z]]|\p{RGI_Emoji})+$/v.test('é'.repeat(3000) + '!')
