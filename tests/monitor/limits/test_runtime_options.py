import pytest

from capacity.monitor.limits.runtime_options import (
    OptionsInFileError,
    environment,
    go_option,
    java_option,
    net_option,
    v8_option,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("line", "variables", "size_bytes", "where"),
    [
        ("java -Xmx64m Main", {}, 64 * MIB, "cmdline"),
        ("java -Xmx2G -jar app.jar", {}, 2048 * MIB, "cmdline"),
        ("java -Xmx1048576 Main", {}, MIB, "cmdline"),
        ("java -Xmx64m -XX:MaxHeapSize=70m Main", {}, 70 * MIB, "cmdline"),
        ("java -cp -Xmx9m -Xmx64m Main", {}, 64 * MIB, "cmdline"),
        ("java -Xmx64m Main", {"JAVA_TOOL_OPTIONS": "-Xmx32m"}, 64 * MIB, "cmdline"),
        ("java -Xmx64m Main", {"JDK_JAVA_OPTIONS": "-Xmx32m"}, 64 * MIB, "cmdline"),
        ("java Main", {"JDK_JAVA_OPTIONS": "-ea -Xmx32m"}, 32 * MIB, "environ"),
        ("java -Xmx64m Main", {"_JAVA_OPTIONS": "-Xmx32m"}, 32 * MIB, "environ"),
        ("java -Xmx64m -XX:MaxRAMPercentage=50 Main", {}, 64 * MIB, "cmdline"),
    ],
)
def test_the_last_size_that_a_jvm_is_given_counts(line, variables, size_bytes, where):
    option = java_option(line.split(), variables)

    assert (option.size_bytes, option.where) == (size_bytes, where)


def test_a_jvm_can_be_given_a_share_of_the_memory():
    option = java_option(["java", "-XX:MaxRAMPercentage=12.5", "Main"], {})

    assert (option.size_bytes, option.memory_ratio) == (None, 0.125)


@pytest.mark.parametrize("line", ["java Main -Xmx64m", "java -jar app.jar -Xmx64m", "java", ""])
def test_what_a_program_is_told_is_no_option_of_its_jvm(line):
    assert java_option(line.split(" "), {}) is None


def test_options_in_a_file_are_not_known():
    with pytest.raises(OptionsInFileError):
        java_option(["java", "@options", "Main"], {})
    assert java_option(["java", "@options", "-Xmx1m", "Main"], {}).size_bytes == MIB


@pytest.mark.parametrize(
    ("line", "variables", "mib"),
    [
        ("node --max-old-space-size=64 app.js", {}, 64),
        ("node --max_old_space_size=64 app.js", {}, 64),
        ("node --max-old-space-size 64 app.js", {}, 64),
        ("node --max-heap-size=64 app.js", {}, 64),
        ("node --max-old-space-size=64 --max-heap-size=90 app.js", {}, 64),
        ("node -r ./hook --max-old-space-size=64 app.js", {}, 64),
        ("node app.js", {"NODE_OPTIONS": "--enable-source-maps --max-old-space-size=32"}, 32),
        ("node --max-old-space-size=64 app.js", {"NODE_OPTIONS": "--max-old-space-size=32"}, 64),
    ],
)
def test_the_old_space_of_node_is_in_mebibytes(line, variables, mib):
    assert v8_option(line.split(), variables).size_bytes == mib * MIB


def test_without_an_option_nothing_is_known_of_node():
    assert v8_option(["node", "app.js", "--max-old-space-size=64"], {}) is None


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("64KiB", 64 * MIB // 1024),
        ("64MiB", 64 * MIB),
        ("1GiB", 1024 * MIB),
        ("1TiB", 1024 * 1024 * MIB),
        ("1000", 1000),
        ("1000B", 1000),
    ],
)
def test_the_limit_of_go_has_its_own_units(text, size_bytes):
    assert go_option({"GOMEMLIMIT": text}).size_bytes == size_bytes


def test_go_without_a_limit_has_none():
    assert go_option({"GOMEMLIMIT": "off"}) is None
    assert go_option({}) is None


@pytest.mark.parametrize("name", ["DOTNET_GCHeapHardLimit", "COMPlus_GCHeapHardLimit"])
@pytest.mark.parametrize("text", ["4000000", "0x4000000"])
def test_the_limit_of_net_is_hexadecimal(name, text):
    assert net_option({name: text}).size_bytes == 64 * MIB
    assert net_option({}) is None


@pytest.mark.parametrize(
    "name", ["DOTNET_GCHeapHardLimitPercent", "COMPlus_GCHeapHardLimitPercent"]
)
def test_so_is_its_share_of_the_memory_which_a_size_beats(name):
    assert net_option({name: "32"}).memory_ratio == 0.5
    assert net_option({name: "32", "DOTNET_GCHeapHardLimit": "4000000"}).size_bytes == 64 * MIB
    assert net_option({name: "0", "DOTNET_GCHeapHardLimit": "0"}) is None


def test_nothing_else_of_an_environment_is_kept():
    text = "PATH=/bin\0PASSWORD=x\0GOMEMLIMIT=1GiB\0NODE_OPTIONS=--a=b\0"

    assert environment(text) == {"GOMEMLIMIT": "1GiB", "NODE_OPTIONS": "--a=b"}


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (java_option, (["java", "-Xmxmuch", "Main"], {})),
        (v8_option, (["node", "--max-old-space-size", "app.js"], {})),
        (go_option, ({"GOMEMLIMIT": "much"},)),
        (net_option, ({"DOTNET_GCHeapHardLimit": "much"},)),
    ],
)
def test_a_size_that_is_none_is_refused(read, given):
    with pytest.raises(ValueError, match="invalid literal"):
        read(*given)


@pytest.mark.parametrize(
    ("line", "variables", "mib"),
    [
        ("deno run --v8-flags=--max-old-space-size=64 -A app.ts", {}, 64),
        ("deno --v8-flags=--max-old-space-size=64 app.ts", {}, 64),
        ("deno run -A --v8-flags=--expose-gc,--max_old_space_size=64 app.ts", {}, 64),
        ("deno run app.ts", {"DENO_V8_FLAGS": "--expose-gc,--max-old-space-size=32"}, 32),
        (
            "deno run --v8-flags=--max-old-space-size=64 app.ts",
            {"DENO_V8_FLAGS": "--max-old-space-size=32"},
            64,
        ),
    ],
)
def test_deno_hands_flags_on_to_v8(line, variables, mib):
    assert v8_option(line.split(), variables, is_deno=True).size_bytes == mib * MIB


def test_flags_of_v8_are_none_of_node_and_nodes_options_none_of_deno():
    line = ["deno", "run", "--max-old-space-size=64", "app.ts"]

    assert v8_option(line, {"NODE_OPTIONS": "--max-old-space-size=32"}, is_deno=True) is None
    assert v8_option(["node", "--v8-flags=--max-old-space-size=64"], {}) is None
