// What a value means, as JSON has it: numbers exact, dates and times in ISO 8601 (as Python's isoformat writes them), binary in base64.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/util.h"
#include "format/parquet_file.h"
#include "format/parquet_pack.h"

static const char too_long[] = "it is longer than 1 GiB";

// ---- by type ----

static const char *put_base64(text *out, str s)
{
    if (s.size > PQ_LARGEST_PAGE / 4 * 3)
        return too_long;
    const size_t size = (s.size + 2) / 3 * 4, at = pack_text_begin(out, size);
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *b = (const uint8_t *)s.at;
    char *to = out->chars + at;
    if (out->failed)
        return NULL;
    for (size_t i = 0; i < s.size; i += 3, to += 4) {
        const size_t n = MIN(3, s.size - i);
        const uint32_t word = (uint32_t)b[i] << 16 | (n > 1 ? (uint32_t)b[i + 1] << 8 : 0) | (n > 2 ? b[i + 2] : 0);
        to[0] = digits[word >> 18];
        to[1] = digits[word >> 12 & 63];
        to[2] = n > 1 ? digits[word >> 6 & 63] : '=';
        to[3] = n > 2 ? digits[word & 63] : '=';
    }
    return NULL;
}

static const char *put_double(text *out, double d)
{
    pack_double(out, d);
    return NULL;
}

static const char *put_text(text *out, const char *chars, int size)
{
    pack_text(out, (str){ chars, (size_t)size });
    return NULL;
}

// ---- calendar ----

enum { DAY = 86400 };

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t floor_rest(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

// Days since 1970 to a date of the Gregorian calendar: eras of 400 years, which begin in March.
static int date_text(int64_t days, char *to, size_t room)
{
    const int64_t z = days + 719468, era = floor_divide(z, 146097), of_era = floor_rest(z, 146097);
    const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    const int day = (int)(of_year - (153 * month + 2) / 5 + 1), m = (int)(month < 10 ? month + 3 : month - 9);
    const int64_t y = year + era * 400 + (m <= 2);
    return snprintf(to, room, y < 0 || y > 9999 ? "%+05" PRId64 "-%02d-%02d" : "%04" PRId64 "-%02d-%02d", y, m, day);
}

// Six digits of a fraction, or nine if they are needed; none of nothing.
static int time_text(int64_t seconds, int64_t nanos, char *to, size_t room)
{
    int used = snprintf(to, room, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (nanos % 1000)
        used += snprintf(to + used, room - (size_t)used, ".%09d", (int)nanos);
    else if (nanos)
        used += snprintf(to + used, room - (size_t)used, ".%06d", (int)(nanos / 1000));
    return used;
}

static int moment_text(int64_t days, int64_t seconds, int64_t nanos, char *to, size_t room)
{
    int used = date_text(days, to, room);
    to[used++] = 'T';
    return used + time_text(seconds, nanos, to + used, room - (size_t)used);
}

static int64_t units_of(const pq_leaf *l) { return l->digits == 3 ? 1000 : l->digits == 6 ? 1000000 : 1000000000; }

static const char *put_date(text *out, const pq_leaf *l, const pq_value *v)
{
    char chars[80];
    (void)l;
    return put_text(out, chars, date_text(v->number, chars, sizeof chars));
}

static const char *put_time(text *out, const pq_leaf *l, const pq_value *v)
{
    char chars[80];
    const int64_t units = units_of(l);
    if (v->number < 0 || v->number / units >= DAY)
        return "a time of day lies outside of the day";
    return put_text(out, chars, time_text(v->number / units, v->number % units * (1000000000 / units), chars, sizeof chars));
}

static const char *put_timestamp(text *out, const pq_leaf *l, const pq_value *v)
{
    char chars[80];
    const int64_t units = units_of(l), seconds = floor_divide(v->number, units), days = floor_divide(seconds, DAY);
    int used = moment_text(days, floor_rest(seconds, DAY), floor_rest(v->number, units) * (1000000000 / units), chars, sizeof chars);
    if (l->utc)
        used += snprintf(chars + used, sizeof chars - (size_t)used, "+00:00");
    return put_text(out, chars, used);
}

// INT96: nanoseconds of the day, and the Julian day.
static const char *put_int96(text *out, const pq_value *v)
{
    char chars[80];
    int64_t nanos;
    uint32_t julian;
    memcpy(&nanos, v->bytes.at, 8);
    memcpy(&julian, v->bytes.at + 8, 4);
    const int64_t seconds = floor_divide(nanos, 1000000000), days = floor_divide(seconds, DAY);
    const int64_t day = (int64_t)(int32_t)julian - 2440588 + days;
    return put_text(out, chars, moment_text(day, floor_rest(seconds, DAY), floor_rest(nanos, 1000000000),
                                            chars, sizeof chars));
}

static uint32_t little_endian(const char *at)
{
    uint32_t v;
    memcpy(&v, at, 4);
    return v;
}

// Months, days, milliseconds.
static const char *put_interval(text *out, const pq_leaf *l, const pq_value *v)
{
    char chars[80];
    const uint32_t ms = little_endian(v->bytes.at + 8);
    (void)l;
    return put_text(out, chars, snprintf(chars, sizeof chars, "P%uM%uDT%u.%03uS", little_endian(v->bytes.at),
                                         little_endian(v->bytes.at + 4), ms / 1000, ms % 1000));
}

// ---- other kinds ----

static const char *put_plain(text *out, const pq_leaf *l, const pq_value *v)
{
    float single;
    double number;
    const int32_t low = (int32_t)v->number;
    switch (l->type) {
    case PQ_BOOLEAN: pack_truth(out, v->number & 1); return NULL;
    case PQ_INT32: case PQ_INT64: pack_int(out, v->number); return NULL;
    case PQ_INT96: return put_int96(out, v);
    case PQ_FLOAT: return memcpy(&single, &low, 4), put_double(out, (double)single);
    case PQ_DOUBLE: return memcpy(&number, &v->number, 8), put_double(out, number);
    default: return put_base64(out, v->bytes);
    }
}

static const char *put_nothing(text *out, const pq_leaf *l, const pq_value *v)
{
    (void)out, (void)l, (void)v;
    return "a value in a column that can only hold null";
}

static const char *put_unsigned(text *out, const pq_leaf *l, const pq_value *v)
{
    char digits[32];
    const uint64_t u = (uint64_t)v->number & (l->bits < 64 ? (1ull << MAX(l->bits, 0)) - 1 : UINT64_MAX);
    if (u <= INT64_MAX)
        pack_int(out, (int64_t)u);
    else
        pack_digits(out, (str){ digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, u) });
    return NULL;
}

static const char *put_string(text *out, const pq_leaf *l, const pq_value *v)
{
    (void)l;
    pack_text(out, v->bytes);
    return NULL;
}

static const char *put_uuid(text *out, const pq_leaf *l, const pq_value *v)
{
    char chars[64], *to = chars;
    (void)l;
    for (size_t i = 0; i < 16; i++)
        to += snprintf(to, 8, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", (unsigned char)v->bytes.at[i]);
    return put_text(out, chars, (int)(to - chars));
}

static const char *put_half(text *out, const pq_leaf *l, const pq_value *v)
{
    const unsigned h = (unsigned)(uint8_t)v->bytes.at[0] | (unsigned)(uint8_t)v->bytes.at[1] << 8;
    const int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    double d = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    if (exponent == 31)
        d = fraction ? (double)NAN : (double)INFINITY;
    (void)l;
    return put_double(out, h >> 15 ? -d : d);
}

// ---- decimals: a whole number of any size, and where its point stands ----

// Big-endian two's complement to decimal digits, the lowest first. Bytes are divided by ten until nothing is left.
static int digits_of(str s, bool *negative, char *to)
{
    uint8_t left[136];
    int count = 0;
    size_t begin = 0;
    unsigned carry;
    memcpy(left, s.at, s.size);
    *negative = s.size && left[0] & 0x80;
    carry = 1;
    for (size_t i = s.size; *negative && i-- > 0; carry >>= 8) {
        carry += (uint8_t)~left[i];
        left[i] = (uint8_t)carry;
    }
    for (; begin < s.size; ) {
        unsigned rest = 0;
        for (size_t i = begin; i < s.size; i++) {
            rest = rest << 8 | left[i];
            left[i] = (uint8_t)(rest / 10);
            rest %= 10;
        }
        to[count++] = (char)('0' + rest);
        while (begin < s.size && !left[begin])
            begin++;
    }
    return count;
}

static const char *put_decimal(text *out, const pq_leaf *l, const pq_value *v)
{
    char digits[340], chars[1400], *to = chars, whole[8];
    bool negative;
    str s = v->bytes;
    if (l->type == PQ_INT32 || l->type == PQ_INT64) {
        for (int i = 0; i < 8; i++)
            whole[i] = (char)(v->number >> (56 - 8 * i));
        s = (str){ whole, 8 };
    }
    if (s.size > 128)
        return "a decimal of more than 128 bytes";
    int count = digits_of(s, &negative, digits);
    while (count <= l->scale && count < (int)sizeof digits && l->scale < (int)sizeof digits)
        digits[count++] = '0';
    if (negative)
        *to++ = '-';
    if (l->scale >= count) {        // a scale beyond the digits that there can be
        to += snprintf(to, 3, "0.");
        for (int i = count; i < l->scale; i++)
            *to++ = '0';
        while (count > 0)
            *to++ = digits[--count];
    }
    while (count > 0) {
        if (count == l->scale)
            *to++ = '.';
        *to++ = digits[--count];
    }
    pack_digits(out, (str){ chars, (size_t)(to - chars) });
    return NULL;
}

// THE TABLE of kinds.
static const char *(*const table[PQ_KINDS])(text *out, const pq_leaf *l, const pq_value *v) = {
    [PQ_PLAIN] = put_plain, [PQ_NOTHING] = put_nothing, [PQ_UNSIGNED] = put_unsigned, [PQ_TEXT] = put_string, [PQ_DECIMAL] = put_decimal,
    [PQ_DATE] = put_date, [PQ_TIME] = put_time, [PQ_TIMESTAMP] = put_timestamp, [PQ_UUID] = put_uuid, [PQ_HALF] = put_half,
    [PQ_INTERVAL] = put_interval,
};

const char *pq_put(text *out, const pq_leaf *l, const pq_value *v)
{
    return v->bytes.size + out->size > PQ_LARGEST_PAGE ? too_long : table[l->kind](out, l, v);
}
