"""Apache's configuration as texts, and real ones of each kind filled until they let clients wait."""

import pytest

WORDS = ("/usr/sbin/apache2", "-k", "start")
PATH = "/etc/apache2/apache2.conf"
EVENT = "LoadModule mpm_event_module modules/mod_mpm_event.so\n"
MODULES = "/usr/lib/apache2/modules"
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule proxy_wstunnel_module {modules}/mod_proxy_wstunnel.so
<IfModule mpm_prefork_module>
MaxRequestWorkers 500
</IfModule>
{settings}
ProxyPass / ws://127.0.0.1:{upstream}/
"""


def test_max_request_workers_is_the_cap(made):
    made.write(PATH, f"{EVENT}ServerLimit 4\nThreadsPerChild 8\nMaxRequestWorkers 24\n")
    entry = made.entries(*WORDS)[-1]

    assert (entry.value, entry.source) == (24, f"{PATH}:4: MaxRequestWorkers 24")


@pytest.mark.parametrize(
    ("settings", "cap"),
    [
        ("", 400),
        ("ServerLimit 3", 75),
        ("MaxClients 50", 50),
        ("MaxRequestWorkers 60", 50),
        ("MaxRequestWorkers 9000", 400),
        ("ThreadsPerChild 10\nMaxRequestWorkers 100", 100),
        ("MaxRequestWorkers 10", 25),
        ("ThreadsPerChild 0\nMaxRequestWorkers 0", 0),
        ("MaxRequestWorkers 50\nMaxClients 75", 50),
    ],
)
def test_processes_and_threads_bound_it(made, settings, cap):
    made.write(PATH, f"{EVENT}{settings}\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_only_sections_of_the_loaded_kind_and_of_defined_names_count(made):
    made.write(
        PATH,
        """IncludeOptional mods-enabled/*.load
<IfModule mpm_prefork_module>
  MaxRequestWorkers 7
</IfModule>
<IfModule mpm_worker_module>
  MaxRequestWorkers 9
</IfModule>
<IfDefine !Small>
  MaxRequestWorkers 100
</IfDefine>
<IfDefine Small>
  MaxRequestWorkers 6
</IfDefine>
""",
    )
    made.write("/etc/apache2/mods-enabled/mpm.load", "LoadModule mpm_prefork_module x.so\n")

    assert made.caps(*WORDS) == [(100, ())]
    assert made.caps(*WORDS, "-D", "Small") == [(6, ())]


def test_what_the_configuration_defines_is_followed_and_what_it_does_not_is_unknown(made):
    made.write(PATH, f"{EVENT}Define N 50\nMaxRequestWorkers ${{N}}\n")

    assert made.caps(*WORDS) == [(50, ())]

    made.write(PATH, f"{EVENT}MaxRequestWorkers \\\n ${{N}}\n")

    assert made.unknown(*WORDS).source == f"{PATH}:2"


def test_a_file_that_includes_itself_is_unknown(made):
    made.write(PATH, f"Include {PATH}\n")

    assert "more than 16 deep" in made.unknown(*WORDS).reason


@pytest.mark.parametrize(
    ("mpm", "settings", "cap"),
    [
        # One process: of several, a full one still takes clients that another has a thread for.
        ("event", "ServerLimit 1\nThreadsPerChild 12\nMaxRequestWorkers 12\nStartServers 1", 12),
        ("worker", "ServerLimit 3\nThreadsPerChild 5\nMaxRequestWorkers 15\nStartServers 3", 15),
        ("prefork", "MaxRequestWorkers 9\nStartServers 9", 9),
    ],
)
def test_a_real_one_serves_what_was_read(
    start_server, free_port, backend, fill, tmp_path, mpm, settings, cap
):
    port = free_port()
    path = tmp_path / "apache.conf"
    path.write_text(
        CONFIGURATION.format(
            folder=tmp_path,
            port=port,
            mpm=mpm,
            modules=MODULES,
            settings=settings,
            upstream=backend,
        )
    )
    apache = start_server("apache2", "-DFOREGROUND", "-f", path, port=port)

    assert fill(port, patience_s=2.0) == apache.cap().value == cap


def test_the_defaults_of_each_kind(made):
    for kind, expected in (("prefork", 256), ("worker", 400), ("event", 400)):
        made.write(PATH, f"LoadModule mpm_{kind}_module x.so\n")

        assert made.caps(*WORDS) == [(expected, ())]
        told = [entry.name for entry in made.entries(*WORDS)]
        assert ("ThreadsPerChild" in told) is (kind != "prefork")


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ("MaxRequestWorkers 400", ":2: MaxRequestWorkers 400"),
        (
            "MaxRequestWorkers 401",
            f"ServerLimit 16, times 25 threads, below {PATH}:2: MaxRequestWorkers 401",
        ),
        ("MaxRequestWorkers 60", "MaxRequestWorkers 60, in whole processes of 25 threads"),
        ("MaxRequestWorkers 75", ":2: MaxRequestWorkers 75"),
    ],
)
def test_a_cap_says_what_it_comes_of(made, settings, source):
    made.write(PATH, f"{EVENT}{settings}\n")

    assert made.entries(*WORDS)[-1].source.endswith(source)


def test_sixteen_files_may_include_one_another(made):
    for number in range(16):
        made.write(f"/etc/apache2/{number}.conf", f"Include {number + 1}.conf\n")
    made.write("/etc/apache2/16.conf", f"{EVENT}MaxRequestWorkers 50\n")

    assert made.caps("apache2", "-f", "0.conf") == [(50, ())]

    made.write(PATH, "Include 0.conf\n")

    assert "more than 16 deep" in made.unknown(*WORDS).reason


@pytest.mark.parametrize(
    ("settings", "cap"),
    [
        ("<IfModule mpm_event_module>\nMaxRequestWorkers 50\n</IfModule>", 50),
        ("<IfModule !mpm_event_module>\nMaxRequestWorkers 50\n</IfModule>", 400),
        ("<IfModule worker.c>\nMaxRequestWorkers 50\n</IfModule>", 50),
        ("<IfModule ssl_module>\nMaxRequestWorkers 50\n</IfModule>", 50),
        ('<Directory "/x">\nMaxRequestWorkers 50\n</Directory>', 50),
        (
            (
                "<IfDefine No>\n<IfModule ssl_module>\nMaxClients 25\n</IfModule>\nMaxClients 50\n"
                "</IfDefine>\nMaxClients 75"
            ),
            75,
        ),
        ("# MaxRequestWorkers 50", 400),
        ("MaxRequestWorkers \\\n  50", 50),
        ("# a \\\nMaxRequestWorkers 50\nMaxClients 75", 75),
        ('ServerRoot "/srv/x"\nInclude more.conf', 100),
        ("IncludeOptional missing", 400),
        ("IncludeOptional /srv/x", 100),
        ('MaxRequestWorkers "50"', 50),
        ("maxrequestworkers 50", 50),
        ("Define A\n<IfDefine A>\nMaxRequestWorkers 50\n</IfDefine>", 50),
    ],
)
def test_sections_continued_lines_and_included_files(made, settings, cap):
    made.write("/srv/x/more.conf", "MaxRequestWorkers 100\n")
    made.write("/srv/x/.hidden.conf", "MaxRequestWorkers 125\n")
    made.write(PATH, f"{EVENT}{settings}\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_the_root_is_that_of_the_command_line_or_of_the_programs_name(made):
    for folder, most in (("/etc/httpd/conf", 50), ("/srv/a/conf", 75)):
        made.write(f"{folder}/httpd.conf", f"{EVENT}MaxRequestWorkers {most}\n")

    assert made.caps("httpd") == [(50, ())]
    assert made.caps("httpd", "-d", "/srv/a") == [(75, ())]
