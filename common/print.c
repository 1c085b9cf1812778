#include "print.h"

#include "buf.h"
#include "die.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_begin(struct print_table *t, size_t columns)
{
	*t = (struct print_table){.columns = columns};
}

void print_cell(struct print_table *t, const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	char *cell = mem_alloc(size);

	die_escape(cell, size, text);
	t->cell = mem_resize(t->cell, t->cells + 1, sizeof *t->cell);
	t->cell[t->cells++] = cell;
}

/* Characters, not bytes: what follows the first byte of a UTF-8 character takes no room. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void print_end(struct print_table *t)
{
	size_t *widest = mem_zero(t->columns, sizeof *widest);

	for (size_t i = 0; i < t->cells; i++)
		if (width(t->cell[i]) > widest[i % t->columns])
			widest[i % t->columns] = width(t->cell[i]);
	for (size_t i = 0; i < t->cells; i++) {
		bool last = i % t->columns + 1 == t->columns;
		size_t pad = last ? 0 : widest[i % t->columns] - width(t->cell[i]) + 2;

		printf("%s%*s%s", t->cell[i], (int)pad, "", last ? "\n" : "");
		free(t->cell[i]);
	}
	free(t->cell);
	free(widest);
}
