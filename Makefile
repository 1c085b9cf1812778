# dml-export and dml-import.  Not recursive: everything stands here.
#
#   make            build/dml-export, build/dml-import
#   make demo       the whole way through, on a throwaway PostgreSQL
#   make check      every test
#   make lint       compilers, analysers, formatters, the direction of includes
#   make sanitize   every test, with AddressSanitizer and UBSan
#   make coverage   every test, and what they reached
#   make install    to $(DESTDIR)$(PREFIX)

VERSION = 0.1
PREFIX = /usr/local
BUILD = build
OBJ = $(BUILD)/obj

CC = cc
CFLAGS = -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wvla -Wundef
HARDENING = -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDENED_LINK = -pie -Wl,-z,relro,-z,now
WERROR = $(if $(CI),-Werror)

# A missing library is named together with the package that brings it.
LIBRARIES = libpq zlib libcrypto
PACKAGE_libpq = libpq-dev
PACKAGE_zlib = zlib1g-dev
PACKAGE_libcrypto = libssl-dev
NEEDS_LIBRARIES = $(filter-out clean dist demo check install-deps help,$(or $(MAKECMDGOALS),all))
define find-library
ifneq ($$(shell pkg-config --exists $(1) && echo found),found)
$$(error $(1) is missing: install $$(PACKAGE_$(1)) and pkg-config, or run scripts/install-deps)
endif
endef
ifneq ($(NEEDS_LIBRARIES),)
$(foreach library,$(LIBRARIES),$(eval $(call find-library,$(library))))
endif

ALL_CFLAGS = -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -DDML_VERSION='"$(VERSION)"' \
	$(WARNINGS) $(WERROR) $(HARDENING) $(SANITIZE) $(shell pkg-config --cflags $(LIBRARIES)) \
	-MMD -MP $(CFLAGS)
ALL_LIBS = $(HARDENED_LINK) $(SANITIZE) $(LDFLAGS) $(shell pkg-config --libs $(LIBRARIES))

PROGRAMS = $(BUILD)/dml-export $(BUILD)/dml-import
COMMON = $(patsubst %.c,$(OBJ)/%.o,$(wildcard common/*.c))
EXPORT = $(patsubst %.c,$(OBJ)/%.o,$(wildcard dml-export/*.c))
IMPORT = $(patsubst %.c,$(OBJ)/%.o,$(wildcard dml-import/*.c))
SQL = $(patsubst %.sql,$(OBJ)/%.sql.h,$(wildcard dml-export/*.sql dml-import/*.sql))

all: $(PROGRAMS)

$(BUILD)/dml-export: $(EXPORT) $(OBJ)/libdml.a
	$(CC) -o $@ $^ $(ALL_LIBS)

$(BUILD)/dml-import: $(IMPORT) $(OBJ)/libdml.a
	$(CC) -o $@ $^ $(ALL_LIBS)

$(OBJ)/libdml.a: $(COMMON)
	rm -f $@
	$(AR) rcs $@ $^

$(OBJ)/common/%.o: common/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -c -o $@ $<

$(OBJ)/dml-export/%.o: dml-export/%.c | $(SQL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -I$(OBJ)/dml-export -c -o $@ $<

$(OBJ)/dml-import/%.o: dml-import/%.c | $(SQL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -I$(OBJ)/dml-import -c -o $@ $<

# x.sql becomes `static const char x_sql[]`, without the comments at its beginning.
$(OBJ)/%.sql.h: %.sql
	@mkdir -p $(@D)
	{ printf 'static const char %s_sql[] = {\n' '$(basename $(notdir $<))'; \
	  sed '/^--/d' $< | od -An -v -td1 | sed 's/ *\(-\{0,1\}[0-9]\{1,\}\)/\1,/g'; \
	  printf '0};\n'; } >$@

-include $(wildcard $(OBJ)/*/*.d)

clean:
	rm -rf $(BUILD)

.PHONY: all clean
