# dml-export and dml-import.  Not recursive: everything is built from here.
#
#   make            build/dml-export and build/dml-import
#   make demo       the whole way through, on a throwaway PostgreSQL
#   make check      every test
#   make fuzz       ten seconds of each fuzzer
#   make lint       two compilers, analysers, formatters, the direction of includes
#   make sanitize   every test, with AddressSanitizer and UBSan
#   make coverage   every test, and what it reached
#   make install    to $(DESTDIR)$(PREFIX)
#   make dist       a tarball of what is committed

VERSION = 0.1
PREFIX = /usr/local
BUILD = build
OBJ = $(BUILD)/obj

CC = cc
PKG_CONFIG = pkg-config
CFLAGS = -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wvla -Wundef
HARDENING = -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDENED_LINK = -pie -Wl,-z,relro,-z,now
WERROR = $(if $(CI),-Werror)

# ISA-L deflates four times as fast as zlib; where it isn't found, or with ISAL=no, zlib does it.
ISAL := $(if $(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo found),yes,no)
CODEC_yes = libisal
CODEC_no = zlib
CODEC_FLAGS_yes = -DDML_ISAL_VERSION='"$(ISAL_VERSION)"'
ISAL_VERSION := $(shell $(PKG_CONFIG) --modversion libisal 2>/dev/null)
OTHER_CODEC_yes = common/codec_zlib.c
OTHER_CODEC_no = common/codec_isal.c

# A missing library is named together with the package that brings it; libcrypto before libpq,
# which isn't found without it either.
LIBRARIES = libcrypto libpq $(CODEC_$(ISAL))
PACKAGE_libpq = libpq-dev
PACKAGE_zlib = zlib1g-dev
PACKAGE_libcrypto = libssl-dev

# These install what they lack before they build.
INSTALLING = demo check fuzz lint sanitize coverage versions bench torture clean dist

define find-library
ifneq ($$(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo found),found)
$$(error $(1) is missing: install $$(PACKAGE_$(1)) and pkg-config, or run scripts/install-deps)
endif
endef
ifneq ($(filter-out $(INSTALLING),$(or $(MAKECMDGOALS),all)),)
$(foreach library,$(LIBRARIES),$(eval $(call find-library,$(library))))
endif

ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DDML_VERSION='"$(VERSION)"' \
	$(WARNINGS) $(WERROR) $(HARDENING) $(SANITIZE) $(CODEC_FLAGS_$(ISAL)) \
	$(LIBRARY_CFLAGS) -MMD -MP $(CFLAGS)
ALL_LIBS = $(HARDENED_LINK) $(SANITIZE) $(LDFLAGS) $(LIBRARY_LIBS)
LIBRARY_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBRARIES) 2>/dev/null)
LIBRARY_LIBS := $(shell $(PKG_CONFIG) --libs $(LIBRARIES) 2>/dev/null)

PROGRAMS = $(BUILD)/dml-export $(BUILD)/dml-import
COMMON = $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(OTHER_CODEC_$(ISAL)),$(wildcard common/*.c)))
EXPORT = $(patsubst %.c,$(OBJ)/%.o,$(wildcard dml-export/*.c))
IMPORT = $(patsubst %.c,$(OBJ)/%.o,$(wildcard dml-import/*.c))
SQL_PIECES = common/great.sql common/owner.sql common/range_parts.sql common/type_parts.sql dml-export/key_index.sql
SQL = $(patsubst %.sql,$(OBJ)/%.sql.h,$(filter-out $(SQL_PIECES),$(wildcard common/*.sql dml-export/*.sql dml-import/*.sql)))

all: $(PROGRAMS)

# Half a file is none.
.DELETE_ON_ERROR:

$(BUILD)/dml-export: $(EXPORT) $(OBJ)/libdml.a
	$(CC) -o $@ $^ $(ALL_LIBS)

$(BUILD)/dml-import: $(IMPORT) $(OBJ)/libdml.a
	$(CC) -o $@ $^ $(ALL_LIBS)

$(OBJ)/libdml.a: $(COMMON)
	rm -f $@
	$(AR) rcs $@ $^

$(OBJ)/common/%.o: common/%.c | $(SQL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -I$(OBJ)/common -c -o $@ $<

$(OBJ)/dml-export/%.o: dml-export/%.c | $(SQL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -I$(OBJ)/dml-export -c -o $@ $<

$(OBJ)/dml-import/%.o: dml-import/%.c | $(SQL)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icommon -I$(OBJ)/dml-import -c -o $@ $<

$(OBJ)/%.sql.h: %.sql $(SQL_PIECES) scripts/sql-header
	@mkdir -p $(@D)
	scripts/sql-header $< >$@

-include $(wildcard $(OBJ)/*/*.d)

demo:
	scripts/install-deps demo
	@$(MAKE) --no-print-directory -s all
	scripts/demo

check:
	scripts/install-deps test
	@$(MAKE) --no-print-directory all check-built

# The parts of check, for whoever has everything installed.
check-built: unit system

# initdb takes longer than many a test.
system: all
	@template=$$(mktemp -d /tmp/dml-XXXXXX) && trap 'rm -rf "$$template"' EXIT && \
	    trap 'exit 1' HUP INT TERM && scripts/cluster make "$$template" && \
	    CLUSTER_TEMPLATE="$$template" prove -Itests/lib $(PROVE_FLAGS) $(TESTS)

# One more than the smallest machine has processors: there is always a test that waits.  What takes
# the longest comes first: who waits for locks, and the sweeps.
LONGEST = tests/t/36-locked-tables.t $(wildcard tests/t/7*.t)
TESTS = $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/t/*.t))
PROVE_FLAGS = -j3 --timer

sanitize:
	scripts/install-deps test lint
	@$(MAKE) --no-print-directory BUILD=build/sanitize CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    HARDENING= HARDENED_LINK= SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
	    all check-sanitized

check-sanitized:
	DML_BUILD=$(CURDIR)/$(BUILD) UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=0 \
	    $(MAKE) --no-print-directory BUILD=$(BUILD) check-built

# gcov's merging takes all runs of all tests together.  Programs that are killed write nothing, and
# the sweeps that kill at each call or fail each allocation would meet gcov's own: not those two.
coverage:
	scripts/install-deps test lint
	rm -rf build/coverage
	@$(MAKE) --no-print-directory BUILD=build/coverage CFLAGS='-O0 -g --coverage -DDML_COVERAGE' \
	    HARDENING= LDFLAGS=--coverage all check-covered
	gcovr --root . --object-directory build/coverage/obj --exclude 'tests/.*' \
	    --exclude-throw-branches --fail-under-line 95 --fail-under-branch 85 \
	    --print-summary --txt build/coverage/report.txt
	@cat build/coverage/report.txt

check-covered:
	DML_BUILD=$(CURDIR)/$(BUILD) $(MAKE) --no-print-directory BUILD=$(BUILD) \
	    TESTS='$(filter-out tests/t/70-% tests/t/72-%,$(TESTS))' check-built

lint:
	scripts/install-deps test lint
	@$(MAKE) --no-print-directory lint-built

SOURCES = $(wildcard common/*.[ch] dml-export/*.[ch] dml-import/*.[ch])
UNIT_SOURCES = $(wildcard tests/unit/*.[ch] tests/fuzz/*.[ch])
SCRIPTS = $(wildcard scripts/* tests/mutants/run) .ci/run
MANUALS = $(wildcard man/*.[1-8])

# Each part on its own, so that `make -j2 lint` keeps two processors busy.
LINT = $(addprefix lint-,style gcc clang zlib cppcheck $(TIDY))
LINT_BUILD = $(MAKE) --no-print-directory -s CI=true BUILD=build/$@
LINT_DEFINES = -DDML_VERSION='"$(VERSION)"' -DDML_ISAL_VERSION='""'
TIDY = $(patsubst %.c,tidy/%,$(filter %.c,$(SOURCES)))

lint-built: $(LINT)

lint-style:
	scripts/lint-includes
	@! grep -nP '^(?!--).*[^\x00-\x7f]' */*.sql || { echo 'not every server encoding has that' >&2; exit 1; }
	clang-format --dry-run -Werror $(SOURCES) $(UNIT_SOURCES)
	shellcheck $(SCRIPTS)
	$(if $(MANUALS),mandoc -T lint -W warning $(MANUALS))

lint-gcc:
	+$(LINT_BUILD) CC=gcc CFLAGS='-O2 -fanalyzer' all

lint-clang:
	+$(LINT_BUILD) CC=clang all

lint-zlib:
	+$(LINT_BUILD) ISAL=no all

lint-cppcheck: $(SQL)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --error-exitcode=1 --suppress=missingIncludeSystem -Icommon -I$(OBJ)/common \
	    -I$(OBJ)/dml-export -I$(OBJ)/dml-import $(LINT_DEFINES) common dml-export dml-import

# What it has suppressed goes to standard error.
$(TIDY:%=lint-%): lint-tidy/%: %.c | $(SQL)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c17 -D_GNU_SOURCE $(LINT_DEFINES) \
	    -Icommon -I$(OBJ)/common -I$(OBJ)/dml-export -I$(OBJ)/dml-import $(LIBRARY_CFLAGS) \
	    2>$(OBJ)/$*.tidy || { cat $(OBJ)/$*.tidy; exit 1; }

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 755 $(PROGRAMS) scripts/dml-ship $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(filter %.1,$(MANUALS)) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(filter %.5,$(MANUALS)) $(DESTDIR)$(PREFIX)/share/man/man5

dist:
	mkdir -p $(BUILD)
	git archive --prefix=dml-export-$(VERSION)/ -o $(BUILD)/dml-export-$(VERSION).tar.gz HEAD

clean:
	rm -rf build

-include tests/tests.mk

.PHONY: all demo check check-built system sanitize check-sanitized coverage check-covered lint \
	lint-built $(LINT) install dist clean
