// The names nearest to a misspelt one.
#include "base/near.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

enum { LONGEST = 64, MOST = 3 };

// Damerau-Levenshtein distance (adjacent letters swapped count one), case ignored.
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    int rows[3][LONGEST + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++)
        above[j] = before[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int change = above[j - 1] + !!strncasecmp(a + i - 1, b + j - 1, 1);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        int *last = before;
        before = above;
        above = row;
        row = last;
    }
    return above[m];
}

void near_names(const char *word, const char *const *names, size_t count, char *out, size_t room)
{
    const char *best[MOST] = {0};
    int at[MOST] = { LONGEST, LONGEST, LONGEST }, found = 0;
    int limit = 1 + (int)strlen(word) / 3;
    for (size_t i = 0; i < count; i++) {
        int d = distance(word, names[i]);
        bool begins = strlen(word) >= 3 && !strncasecmp(names[i], word, strlen(word));
        if (d > limit && !begins)
            continue;
        int k = found < MOST ? found++ : MOST - 1;
        if (k == MOST - 1 && best[k] && at[k] <= d)
            continue;
        for (; k > 0 && at[k - 1] > d; k--)
            best[k] = best[k - 1], at[k] = at[k - 1];
        best[k] = names[i], at[k] = d;
    }
    size_t used = 0;
    out[0] = 0;
    for (int k = 0; k < found && used < room; k++)
        used += (size_t)snprintf(out + used, room - used, "%s'%s'", !k ? "" : k + 1 < found ? ", " : " or ", best[k]);
}
