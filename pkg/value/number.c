#include "pkg/value/number.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

bool number_read_int(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    size_t count = strspn(digits, DIGITS);
    if (count == 0 || digits[count] != '\0')
        return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

static bool is_decimal(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = strspn(text, DIGITS), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = strspn(text + 1, DIGITS);
        text += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '-' || text[1] == '+');
        size_t exponent = strspn(text, DIGITS);
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return *text == '\0';
}

bool number_read_real(const char *text, double *out)
{
    if (!is_decimal(text))
        return false;
    *out = strtod(text, NULL);
    return isfinite(*out);
}

bool number_real_is_int(double real, int64_t *out)
{
    /* -2^63 and 2^63 are exact as doubles; INT64_MAX is not. */
    if (!(real >= -0x1p63 && real < 0x1p63) || real != trunc(real))
        return false;
    *out = (int64_t)real;
    return true;
}

void number_print_real(double real, char *out, size_t size)
{
    int64_t integer;
    if (number_real_is_int(real, &integer)) {
        snprintf(out, size, "%" PRId64, integer);
        return;
    }
    /* Fifteen digits always come back as they were, and %g drops their zeros; only numbers below
     * DBL_MIN have fewer. */
    for (int precision = fabs(real) < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
        snprintf(out, size, "%.*g", precision, real);
        if (strtod(out, NULL) == real)
            return;
    }
}
