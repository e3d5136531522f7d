/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates in texts, a part of engine.c. The standard leaves every format but its own to the engine; programs expect those
 * of V8, whose rules these are: the standard's format first, and a text that begins like it or is none is read token by
 * token. Numbers that stand by themselves are day, month and year, those at colons the time. Words before the first
 * number and texts in parentheses are skipped.
 */

enum {
	NO_NUMBER = INT32_MIN,
	DATE_DIGITS = 9, /* further digits of a number are ignored */
};

typedef enum date_token_kind {
	DATE_END,
	DATE_NUMBER,
	DATE_SYMBOL,
	DATE_WORD,
	DATE_SPACE,
	DATE_OTHER,
	DATE_INVALID,
} date_token_kind;

typedef enum date_word {
	WORD_UNKNOWN,
	WORD_MONTH,
	WORD_HALF_DAY,
	WORD_ZONE,
	WORD_T,
} date_word;

typedef struct date_token {
	date_token_kind kind;
	int length;     /* digits of a number */
	int value;      /* of the number or the word, or the symbol */
	date_word word; /* kind of the word */
} date_token;

typedef struct date_scanner {
	JSString *text;
	uint32_t at;
	date_token next;
} date_scanner;

typedef struct date_parts {
	date_scanner scanner;
	int days[3], day_count, named_month;
	bool is_iso;
	int times[4], time_count, half_day;
	int zone_sign, zone_hour, zone_minute;
} date_parts;

/* A NUL ends the text. */
static int date_char(const date_scanner *s)
{
	int c = s->at < s->text->len ? string_get(s->text, s->at) : 0;

	return c ? c : -1;
}

static bool is_date_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Its first three letters decide. Only names of months may be longer. */
static date_token date_word_token(date_scanner *s)
{
	static const char names[][4] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
	                                "oct", "nov", "dec", "am",  "pm",  "ut",  "utc", "z",   "gmt",
	                                "cdt", "cst", "edt", "est", "mdt", "mst", "pdt", "pst", "t"};
	static const signed char values[] = {1, 2, 3, 4, 5,  6,  7,  8,  9,  10, 11, 12, 0, 12,
	                                     0, 0, 0, 0, -5, -6, -4, -5, -6, -7, -7, -8, 0};
	char start[4] = "";
	int length = 0;

	for (int c; (c = date_char(s)) >= 'A' && !lre_is_space(c); s->at++, length++)
		if (length < 3)
			start[length] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c > 127 ? 127 : c);
	for (int i = 0; i < (int)countof(values); i++) {
		if (strcmp(start, names[i]) != 0 || (length > 3 && i >= 12))
			continue;
		date_word word = i < 12 ? WORD_MONTH : i < 14 ? WORD_HALF_DAY : i < 26 ? WORD_ZONE : WORD_T;
		return (date_token){DATE_WORD, length, values[i], word};
	}
	return (date_token){.kind = DATE_WORD, .length = length};
}

static date_token date_number_token(date_scanner *s)
{
	date_token token = {.kind = DATE_NUMBER};
	int digits = 0;
	uint32_t start = s->at;

	while (date_char(s) == '0')
		s->at++;
	for (int c; is_date_digit(c = date_char(s)); s->at++)
		if (digits++ < DATE_DIGITS)
			token.value = token.value * 10 + c - '0';
	token.length = (int)(s->at - start);
	return token;
}

static void skip_date_parentheses(date_scanner *s)
{
	int open = 0;

	do {
		open += date_char(s) == '(' ? 1 : date_char(s) == ')' ? -1 : 0;
		s->at++;
	} while (open > 0 && date_char(s) > 0);
}

static date_token scan_date(date_scanner *s)
{
	int c = date_char(s);

	if (c < 0)
		return (date_token){.kind = DATE_END};
	if (is_date_digit(c))
		return date_number_token(s);
	if (c == '(') {
		skip_date_parentheses(s);
		return (date_token){.kind = DATE_OTHER};
	}
	if (c >= 'A' && !lre_is_space(c))
		return date_word_token(s);
	s->at++;
	if (strchr(":-+.)", c))
		return (date_token){.kind = DATE_SYMBOL, .value = c};
	return (date_token){.kind = lre_is_space(c) ? DATE_SPACE : DATE_OTHER};
}

static date_token next_date_token(date_parts *p)
{
	date_token token = p->scanner.next;

	p->scanner.next = scan_date(&p->scanner);
	return token;
}

static bool is_date_symbol(date_token token, int symbol)
{
	return token.kind == DATE_SYMBOL && token.value == symbol;
}

static bool is_date_sign(date_token token)
{
	return is_date_symbol(token, '+') || is_date_symbol(token, '-');
}

static bool is_date_utc(date_token token)
{
	return token.kind == DATE_WORD && token.word == WORD_ZONE && token.length == 1;
}

static bool skip_date_symbol(date_parts *p, int symbol)
{
	bool found = is_date_symbol(p->scanner.next, symbol);

	if (found)
		next_date_token(p);
	return found;
}

/* A number of exactly so many digits in a range, which is consumed. NO_NUMBER: there is none. */
static int fixed_date_number(date_parts *p, int digits, int low, int high)
{
	date_token next = p->scanner.next;

	if (next.kind != DATE_NUMBER || next.length != digits || next.value < low || next.value > high)
		return NO_NUMBER;
	return next_date_token(p).value;
}

/* The digits after the seconds' point. */
static int date_milliseconds(date_token number)
{
	int value = number.value, length = min_int(number.length, DATE_DIGITS);

	for (; length < 3; length++)
		value *= 10;
	for (; length > 3; length--)
		value /= 10;
	return value;
}

static bool add_date_day(date_parts *p, int value)
{
	if (p->day_count == 3)
		return false;
	p->days[p->day_count++] = value;
	return true;
}

static bool add_date_time(date_parts *p, int value)
{
	if (p->time_count == 4)
		return false;
	p->times[p->time_count++] = value;
	return true;
}

static void end_date_time(date_parts *p, int value)
{
	add_date_time(p, value);
	while (p->time_count < 4)
		p->times[p->time_count++] = 0;
}

static bool expects_date_time(const date_parts *p, int value)
{
	return ((p->time_count == 1 || p->time_count == 2) && value < 60) || (p->time_count == 3 && value < 1000);
}

static void set_date_zone(date_parts *p, int hours)
{
	p->zone_sign = hours < 0 ? -1 : 1;
	p->zone_hour = abs(hours);
	p->zone_minute = 0;
}

/* hh:mm or hhmm */
static bool iso_zone(date_parts *p)
{
	p->zone_sign = next_date_token(p).value == '+' ? 1 : -1;
	int both = fixed_date_number(p, 4, 0, 9999);
	if (both != NO_NUMBER) {
		p->zone_hour = both / 100;
		p->zone_minute = both % 100;
		return p->zone_hour < 24 && p->zone_minute < 60;
	}
	p->zone_hour = fixed_date_number(p, 2, 0, 23);
	if (p->zone_hour == NO_NUMBER || !skip_date_symbol(p, ':'))
		return false;
	p->zone_minute = fixed_date_number(p, 2, 0, 59);
	return p->zone_minute != NO_NUMBER;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.sss, and the zone */
static bool iso_time(date_parts *p)
{
	int hour = fixed_date_number(p, 2, 0, 24), most = hour == 24 ? 0 : 59;

	if (hour == NO_NUMBER || !skip_date_symbol(p, ':'))
		return false;
	add_date_time(p, hour);
	int minute = fixed_date_number(p, 2, 0, most);
	if (minute == NO_NUMBER)
		return false;
	add_date_time(p, minute);

	if (skip_date_symbol(p, ':')) {
		int second = fixed_date_number(p, 2, 0, most);
		if (second == NO_NUMBER)
			return false;
		add_date_time(p, second);
		if (skip_date_symbol(p, '.')) {
			date_token fraction = next_date_token(p);
			if (fraction.kind != DATE_NUMBER || (hour == 24 && fraction.value > 0))
				return false;
			add_date_time(p, date_milliseconds(fraction));
		}
	}

	if (is_date_utc(p->scanner.next)) {
		next_date_token(p);
		set_date_zone(p, 0);
	} else if (is_date_sign(p->scanner.next) && !iso_zone(p)) {
		return false;
	}
	return p->scanner.next.kind == DATE_END;
}

/*
 * The standard's format. Returns DATE_END if the text is in it, DATE_INVALID if only its time is malformed, or else the
 * first token that does not fit; what was read before is kept.
 */
static date_token iso_date(date_parts *p)
{
	const date_token end = {.kind = DATE_END}, invalid = {.kind = DATE_INVALID};

	if (is_date_sign(p->scanner.next)) {
		date_token sign = next_date_token(p);
		int year = fixed_date_number(p, 6, 0, 999999);
		if (year == NO_NUMBER || (year == 0 && sign.value == '-'))
			return sign;
		add_date_day(p, sign.value == '-' ? -year : year);
	} else {
		int year = fixed_date_number(p, 4, 0, 9999);
		if (year == NO_NUMBER)
			return next_date_token(p);
		add_date_day(p, year);
	}
	for (int i = 0; i < 2 && skip_date_symbol(p, '-'); i++) {
		int value = fixed_date_number(p, 2, 1, i == 0 ? 12 : 31);
		if (value == NO_NUMBER)
			return next_date_token(p);
		add_date_day(p, value);
	}

	date_token next = p->scanner.next;
	bool has_time = next.kind == DATE_WORD && next.word == WORD_T;
	if (!has_time && next.kind != DATE_END)
		return next_date_token(p);
	if (has_time) {
		next_date_token(p);
		if (!iso_time(p))
			return invalid;
	} else {
		set_date_zone(p, 0);
	}
	p->is_iso = true;
	return end;
}

static bool free_number(date_parts *p, int value)
{
	if (skip_date_symbol(p, ':')) {
		if (skip_date_symbol(p, ':'))
			return p->time_count == 0 && add_date_time(p, value) && add_date_time(p, 0);
		if (!add_date_time(p, value))
			return false;
		skip_date_symbol(p, '.');
		return true;
	}
	if (skip_date_symbol(p, '.') && expects_date_time(p, value)) {
		add_date_time(p, value);
		date_token fraction = next_date_token(p);
		if (fraction.kind != DATE_NUMBER)
			return false;
		end_date_time(p, date_milliseconds(fraction));
		return true;
	}
	if (p->zone_hour != NO_NUMBER && p->zone_minute == NO_NUMBER && value < 60) {
		p->zone_minute = value;
		return true;
	}
	if (expects_date_time(p, value)) {
		end_date_time(p, value);
		date_token next = p->scanner.next;
		return next.kind == DATE_END || next.kind == DATE_SPACE || is_date_utc(next) || is_date_sign(next);
	}
	if (!add_date_day(p, value))
		return false;
	skip_date_symbol(p, '-');
	return true;
}

static bool free_word(date_parts *p, date_token word, bool has_number)
{
	if (word.word == WORD_HALF_DAY && p->time_count > 0) {
		p->half_day = word.value;
	} else if (word.word == WORD_MONTH) {
		p->named_month = word.value;
		skip_date_symbol(p, '-');
	} else if (word.word == WORD_ZONE && has_number) {
		set_date_zone(p, word.value);
	} else {
		return !has_number && p->scanner.next.kind != DATE_NUMBER;
	}
	return true;
}

/* An offset from UTC: the minutes may follow a colon, as the next token. */
static bool free_zone(date_parts *p, int sign)
{
	date_token number = {.kind = DATE_NUMBER};

	p->zone_sign = sign == '+' ? 1 : -1;
	if (p->scanner.next.kind == DATE_NUMBER)
		number = next_date_token(p);
	if (is_date_symbol(p->scanner.next, ':')) {
		p->zone_hour = number.value;
		p->zone_minute = NO_NUMBER;
	} else if (number.length == 1 || number.length == 2) {
		p->zone_hour = number.value;
		p->zone_minute = 0;
	} else if (number.length == 3 || number.length == 4) {
		p->zone_hour = number.value / 100;
		p->zone_minute = number.value % 100;
	} else {
		return false;
	}
	return true;
}

static bool free_date(date_parts *p, date_token token)
{
	for (bool has_number = p->day_count > 0; token.kind != DATE_END; token = next_date_token(p)) {
		bool is_utc = p->zone_hour == 0 && p->zone_minute == 0;

		if (token.kind == DATE_NUMBER) {
			has_number = true;
			if (!free_number(p, token.value))
				return false;
		} else if (token.kind == DATE_WORD) {
			if (!free_word(p, token, has_number))
				return false;
		} else if (is_date_sign(token) && (is_utc || p->time_count > 0)) {
			has_number = true;
			if (!free_zone(p, token.value))
				return false;
		} else if ((is_date_sign(token) || is_date_symbol(token, ')')) && has_number) {
			return false;
		}
	}
	return true;
}

static bool is_day_of_month(int value)
{
	return value >= 1 && value <= 31;
}

/*
 * Finds out which of the numbers is the year, the month and the day. Numbers that are missing are 1, also the year,
 * which makes it 2001.
 */
static bool date_day_fields(const date_parts *p, double fields[7])
{
	int year = 0, month = p->named_month, day, days[3] = {1, 1, 1};

	if (p->day_count == 0)
		return false;
	for (int i = 0; i < p->day_count; i++)
		days[i] = p->days[i];
	bool year_first = !is_day_of_month(days[0]);
	if (month == NO_NUMBER) {
		bool is_ymd = p->is_iso || year_first;
		year = days[is_ymd ? 0 : 2];
		month = days[is_ymd ? 1 : 0];
		day = days[is_ymd ? 2 : 1];
	} else {
		year = days[year_first ? 0 : 1];
		day = days[year_first ? 1 : 0];
	}
	if (!p->is_iso && year >= 0 && year < 100)
		year += year < 50 ? 2000 : 1900;
	fields[0] = year;
	fields[1] = month - 1;
	fields[2] = day;
	return month >= 1 && month <= 12 && is_day_of_month(day);
}

static bool date_time_fields(const date_parts *p, double fields[7])
{
	int times[4] = {0};

	for (int i = 0; i < p->time_count; i++)
		times[i] = p->times[i];
	if (p->half_day != NO_NUMBER) {
		if (times[0] > 12)
			return false;
		times[0] = times[0] % 12 + p->half_day;
	}
	for (int i = 0; i < 4; i++)
		fields[3 + i] = times[i];
	if (times[0] == 24)
		return !(times[1] | times[2] | times[3]);
	return times[0] < 24 && times[1] < 60 && times[2] < 60 && times[3] < 1000;
}

static double curfew_parse_date(JSString *text)
{
	double fields[7];
	date_parts p = {.scanner.text = text,
	                .named_month = NO_NUMBER,
	                .half_day = NO_NUMBER,
	                .zone_sign = NO_NUMBER,
	                .zone_hour = NO_NUMBER,
	                .zone_minute = NO_NUMBER};

	next_date_token(&p);
	date_token token = iso_date(&p);
	if (token.kind == DATE_INVALID || !free_date(&p, token))
		return NAN;
	if (!date_day_fields(&p, fields) || !date_time_fields(&p, fields))
		return NAN;
	if (p.zone_hour != NO_NUMBER)
		fields[3] -= p.zone_sign * p.zone_hour;
	if (p.zone_minute != NO_NUMBER)
		fields[4] -= p.zone_sign * p.zone_minute;
	return set_date_fields(fields, p.zone_sign == NO_NUMBER);
}
