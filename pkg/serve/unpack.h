/* The handlers' zip, unpacked as Lambda does it. */
#ifndef RAGSTACK_SERVE_UNPACK_H
#define RAGSTACK_SERVE_UNPACK_H

#include "pkg/base/error.h"

/* Into `folder`, which is made; a folder that is there already is taken for complete. Written
 * beside it first, then renamed. ERR_INPUT for what is no zip, for names that lead out of the
 * folder, and for more than 250 MB. */
int unpack_zip(const char *zip, const char *folder, struct error *error);

#endif
