#include "pkg/cloud/cloud.h"
#include "pkg/cloud/types.h"

#define CLOUD_TYPE_ROW(type) &type,
const struct resource_type *const cloud_types[] = {CLOUD_TYPES(CLOUD_TYPE_ROW) NULL};
