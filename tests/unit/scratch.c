#include "scratch.h"

#include "buf.h"
#include "tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;

const char *scratch(void)
{
	if (directory == NULL) {
		const char *tmp = getenv("TMPDIR");

		directory = mem_format("%s/dml-unit.XXXXXX", tmp != NULL ? tmp : "/tmp");
		if (mkdtemp(directory) == NULL)
			bail_out(directory);
	}
	return directory;
}

char *scratch_path(const char *name)
{
	return mem_format("%s/%s", scratch(), name);
}

void scratch_file(const char *name, const void *data, size_t len)
{
	char *path = scratch_path(name);
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(data, 1, len, file) != len || fclose(file) != 0)
		bail_out(path);
	free(path);
}

char *scratch_read(const char *name, size_t *len)
{
	char *path = scratch_path(name), *content;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail_out(path);
	content = read_all(fd, len);
	close(fd);
	free(path);
	return content;
}

void scratch_directory(const char *name, unsigned mode)
{
	char *path = scratch_path(name);

	if (mkdir(path, 0700) != 0 || chmod(path, mode) != 0)
		bail_out(path);
	free(path);
}

void scratch_link(const char *name, const char *to)
{
	char *path = scratch_path(name);

	if (symlink(to, path) != 0)
		bail_out(path);
	free(path);
}

char scratch_kind(const char *name)
{
	char *path = scratch_path(name);
	struct stat st;
	char kind = '-';

	if (lstat(path, &st) == 0)
		kind = S_ISDIR(st.st_mode)   ? 'd'
		       : S_ISREG(st.st_mode) ? 'f'
		       : S_ISLNK(st.st_mode) ? 'l'
					     : '?';
	free(path);
	return kind;
}

unsigned scratch_mode(const char *name)
{
	char *path = scratch_path(name);
	struct stat st;

	if (lstat(path, &st) != 0)
		bail_out(path);
	free(path);
	return st.st_mode & 07777;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

void scratch_remove(const char *name)
{
	char *path = scratch_path(name);

	if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		bail_out(path);
	free(path);
}

void scratch_remove_all(void)
{
	if (directory != NULL)
		scratch_remove("");
	free(directory);
	directory = NULL;
}
