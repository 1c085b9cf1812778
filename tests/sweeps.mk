# What tests/lib needs, above all for the sweeps of tests/t/7*.t; included by tests/tests.mk.
#
#   make sweep-tools  the programs and libraries that run commands and interfere with them
#   make torture      the sweeps in full, in place of the part that `make check` does; every bit of
#                     a batch, 10,000 histories, plans over 20 million rows, each version
#                     of the server with each
#
# Built without sanitizers and coverage, whatever the programs are built with: what is preloaded
# must not bring a second run-time library.

SWEEP_CFLAGS = -std=c17 -D_GNU_SOURCE -O2 -g $(WARNINGS) $(WERROR) -MMD -MP
TRACER = $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/trace/*.c))
SWEEP_TOOLS = $(BUILD)/tests/trace/tracer $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/preload/*.c))
TORTURE_TESTS = $(wildcard tests/t/20-plans.t tests/t/34-bad-bits.t tests/t/50-*.t tests/t/7?-*.t tests/t/80-*.t)

UNIT_SOURCES += $(wildcard tests/run/*.c tests/trace/*.[ch] tests/preload/*.[ch])

system: sweep-tools
sweep-tools: $(SWEEP_TOOLS) $(BUILD)/tests/run/group

torture:
	scripts/install-deps test
	@$(MAKE) --no-print-directory all sweep-tools
	DML_TORTURE=1 DML_TEST_TIMEOUT=600 prove -Itests/lib $(PROVE_FLAGS) $(TORTURE_TESTS)

# Static, for they are started as often as what they trace, or become.
$(BUILD)/tests/run/group: tests/run/group.c
	@mkdir -p $(@D) $(OBJ)/tests/run
	$(CC) $(SWEEP_CFLAGS) -MF $(OBJ)/tests/run/group.d -static -o $@ $<

$(BUILD)/tests/trace/tracer: $(TRACER)
	@mkdir -p $(@D)
	$(CC) -static -o $@ $^

$(OBJ)/tests/trace/%.o: tests/trace/%.c
	@mkdir -p $(@D)
	$(CC) $(SWEEP_CFLAGS) -c -o $@ $<

$(BUILD)/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D) $(OBJ)/tests/preload
	$(CC) $(SWEEP_CFLAGS) -MF $(OBJ)/tests/preload/$*.d -fPIC -shared -o $@ $<

.PHONY: sweep-tools torture
