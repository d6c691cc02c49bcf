// How many cores this process may use.
#pragma once

int cores_usable(void);                                 // the affinity mask's, and not more than the cgroups' quota; at least 1

// The quota in whole cores, rounded up, of the groups that the file `groups` (/proc/self/cgroup) names below `root`
// (/sys/fs/cgroup), version 1 or 2: the least of each group and those it is in. A large number: none.
int cores_quota(const char *root, const char *groups);
