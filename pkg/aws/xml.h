/* XML text to values and back.
 *
 * An element with children becomes a map, one with text a string, an empty one an empty map.
 * Repeated children become a list at the place of the first. Attributes and text between children
 * are dropped, prefixes of names too. */
#ifndef RAGSTACK_AWS_XML_H
#define RAGSTACK_AWS_XML_H

#include "pkg/base/buffer.h"
#include "pkg/value/value.h"

/* Parses one document: `root` gets the name of its root element, `out` that element's content.
 * Document types and entities of the document's own, nesting beyond 64, and more than a million
 * elements are ERR_INPUT, as is what is no XML. `name` is what errors call it. */
int xml_parse(struct arena *arena, const char *text, size_t length, const char *name,
              const char **root, struct value **out, struct error *error);

/* <root xmlns="...">content</root>, without a declaration. Maps become elements in their order,
 * lists repeat their element, null is left out. `content` is a map, a scalar, or NULL. */
void xml_print(struct buffer *out, const char *root, const char *namespace,
               const struct value *content);

#endif
