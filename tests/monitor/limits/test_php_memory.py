"""PHP's memory_limit, as its command line and its files say, and as it says itself."""

import shutil
import subprocess

import pytest

from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.limits.php_memory import php_heap_bytes, php_option

MIB = 1 << 20
DEBIAN = "/etc/php/8.2/cli/php.ini"


@pytest.fixture
def limit_of(write_file, tmp_path):
    """Return the option of a program of PHP, given the files of its root directory."""

    def read(line, files=(), program="/usr/bin/php8.2", variables=()):
        write_file("7/cmdline", "")
        for path, text in dict(files).items():
            write_file(f"root{path}", text)
        for link, place in (("root", "root"), ("cwd", "root/srv")):
            (tmp_path / "7" / link).symlink_to(tmp_path / place)
        (tmp_path / "root/srv").mkdir(parents=True, exist_ok=True)
        return php_option(7, program, line.split(), dict(variables), str(tmp_path))

    return read


@pytest.mark.parametrize(
    ("line", "mib"),
    [
        ("php -d memory_limit=64M server.php", 64),
        ("php -dmemory_limit=64M server.php", 64),
        ("php -d memory_limit=64M -d memory_limit=1G server.php", 1024),
        ("php -q -d memory_limit=65536k server.php", 64),
        ("php -d memory_limit='67108864' server.php", 64),
        ("php -n server.php", 128),
        ("php -n server.php -d memory_limit=64M", 128),
        ("php -n -d display_errors server.php", 128),
        ("php -n -d", 128),
        ("php server.php -d memory_limit=64M", 32),
        ("php -f server.php -d memory_limit=64M", 32),
    ],
)
def test_the_command_line_beats_the_files(limit_of, line, mib):
    assert limit_of(line, {DEBIAN: "memory_limit = 32M\n"}).size_bytes == mib * MIB


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("php -d memory_limit=-1 server.php", "memory_limit = 9M"),
        ("php server.php", "memory_limit = -1"),
    ],
)
def test_no_limit_is_none(limit_of, line, text):
    assert limit_of(line, {DEBIAN: text}) is None


@pytest.mark.parametrize(
    ("text", "mib", "line"),
    [
        ("[PHP]\nmemory_limit = 32M", 32, 2),
        ("memory_limit=32M ; enough\n", 32, 1),
        ('memory_limit = "32M"\nmemory_limit = 33M', 33, 2),
        ("memory_limit = 32M\n[HOST=example.org]\nmemory_limit = 9M", 32, 1),
    ],
)
def test_a_file_is_read_with_its_line(limit_of, text, mib, line):
    option = limit_of("php server.php", {DEBIAN: text})

    assert (option.size_bytes, option.where) == (mib * MIB, f"{DEBIAN}:{line}")


@pytest.mark.parametrize("text", ["", ";memory_limit = 9M", "xmemory_limit = 9M"])
def test_where_nothing_sets_it_the_default_is_taken_and_said(limit_of, text):
    option = limit_of("php server.php", {DEBIAN: text})

    assert (option.size_bytes, option.text) == (128 * MIB, "no memory_limit is set, so 128M")


@pytest.mark.parametrize(
    ("program", "path"),
    [
        ("/usr/bin/php8.2", "/etc/php/8.2/cli/conf.d/99-memory.ini"),
        ("/usr/bin/php83", "/etc/php83/conf.d/memory.ini"),
        ("/usr/local/bin/php", "/usr/local/etc/php/conf.d/memory.ini"),
        ("/usr/bin/php", "/etc/php.d/memory.ini"),
    ],
)
def test_the_files_beside_it_are_read_after_it(limit_of, program, path):
    ini = path.rsplit("/", 2)[0] + "/php.ini"
    option = limit_of(
        "php server.php", {ini: "memory_limit = 1M", path: "memory_limit = 9M"}, program
    )

    assert (option.size_bytes, option.where) == (9 * MIB, f"{path}:1")


def test_the_last_file_by_name_counts(limit_of):
    folder = "/etc/php/8.2/cli/conf.d"
    files = {f"{folder}/{n}.ini": f"memory_limit = {n}M" for n in (20, 10, 30)}

    assert limit_of("php server.php", {DEBIAN: "", **files}).size_bytes == 30 * MIB


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("php -c /srv/own.ini server.php", {}),
        ("php -c own.ini server.php", {"PHPRC": "/etc"}),
        ("php -c /srv/own server.php", {}),
        ("php server.php", {"PHPRC": "/srv/own"}),
        ("php server.php", {"PHP_INI_SCAN_DIR": ":/srv/own"}),
    ],
)
def test_its_files_can_lie_elsewhere(limit_of, line, variables):
    text = "memory_limit = 9M"
    files = {DEBIAN: "memory_limit = 1M", "/srv/own.ini": text, "/srv/own/php.ini": text}

    assert limit_of(line, files, variables=variables).size_bytes == 9 * MIB


def test_files_that_are_nowhere_known_are_unclear(limit_of):
    with pytest.raises(UnclearError, match="compiled into PHP"):
        limit_of("php server.php", program="/opt/php/bin/php")


def test_what_is_no_size_is_unclear_and_not_shown(limit_of):
    with pytest.raises(UnclearError, match="no plain size") as raised:
        limit_of("php server.php", {DEBIAN: "memory_limit = ${SECRET}"})
    assert raised.value.where == f"{DEBIAN}:1"


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
@pytest.mark.parametrize("options", [("-n",), ("-d", "memory_limit=48M"), ()])
def test_php_says_the_same_of_itself(start_program, options):
    ask = (shutil.which("php"), *options, "-r", "echo ini_get('memory_limit');")
    said = subprocess.check_output(ask, text=True)
    loop = "echo 'ready', PHP_EOL; fgets(STDIN);"
    process = start_program(shutil.which("php"), *options, "-r", loop)
    option = php_option(process.pid, shutil.which("php8.2") or ask[0], ["php", *options, "-r"], {})

    assert said in ("-1" if option is None else option.text)


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php_counts_the_chunks_that_it_has_as_its_use(start_program):
    script = (
        "echo 'ready', PHP_EOL; $kept = [];"
        "while (($said = fgets(STDIN)) !== false) {"
        " for ($n = 0; $n < (int) $said; $n++) $kept[] = range(0.5, 3750);"
        " echo memory_get_usage(true), PHP_EOL, 'done', PHP_EOL; }"
    )
    php = start_program("php", "-n", "-r", script)

    for more in (1, 200, 500):
        (said,) = php.do(str(more))
        assert php_heap_bytes(php.pid) == int(said)


@pytest.mark.parametrize(
    ("mapping", "mib"),
    [
        ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0 ", 4),
        ("7f0000001000-7f0000400000 rw-p 00000000 00:00 0", 2),
        ("7f0000000000-7f00001ff000 rw-p 00000000 00:00 0", 0),
        ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0                  [heap]", 0),
        ("7f0000000000-7f0000400000 r--p 00000000 00:00 0", 0),
        ("7f0000000000-7f0000400000 rw-p 00000000 fe:01 1234  /srv/library", 0),
    ],
)
def test_a_chunk_is_anonymous_and_lies_on_a_multiple_of_its_size(
    write_file, tmp_path, mapping, mib
):
    write_file("7/maps", mapping + "\n")

    assert php_heap_bytes(7, str(tmp_path)) == mib * MIB
