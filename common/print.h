/* A table on standard output: columns as wide as their widest cell, text escaped. */
#ifndef DML_PRINT_H
#define DML_PRINT_H

#include <stddef.h>

struct print_table {
	size_t columns;
	char **cell; /* rows of `columns` cells, the first row the heading */
	size_t cells;
};

void print_begin(struct print_table *t, size_t columns);
/* Takes a copy; cells come row by row, the heading's first. */
void print_cell(struct print_table *t, const char *text);
/* Prints it and frees what it holds. */
void print_end(struct print_table *t);

#endif
