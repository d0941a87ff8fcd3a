"""config/README.md, written from the models: `python -m capacity.settings.reference`."""

import sys
from typing import Any

from pydantic import TypeAdapter

from capacity.domain.resource_facts import LATENCIES, UNITS
from capacity.planning.rules.names import DIMENSIONS
from capacity.settings import demand, dialect, hosts, job, profile, rules, target
from capacity.settings.yaml_files.key_schema import keys_of

_HEAD = """\
# Configuration

Data for people to edit; nothing here is Python. A file is named by its kind and name, as in
`--target demo` for `targets/demo.yaml`, or by its path. A name is looked up in `./config`, then in what
is shipped with the program; `capacity init` writes that into the current folder, to be edited.

| where | what |
|---|---|
| `targets/` | systems under test |
| `profiles/` | how much load, in which steps |
| `dialects/` | what a target's protocol looks like on the wire |
| `schedule/` | repeated runs, and the systemd, cron and Kubernetes files that start them |
| `demand/` | connections to be served, their growth and the reserves wanted: `capacity plan RUN --demand NAME` |
| `hosts/` | catalogues of host types with prices: `--hosts NAME` |
| `schemas/` | JSON Schemas of all these files, for editors |
| `rules.yaml` | what must hold of a run's figures: `capacity check RUN` |
| `deploy/` | what stands beside a target: servers to try, the agent's unit |
| `locust.conf` | options for starting Locust itself with its web interface |

Every file is checked before anything is loaded. An error names file, line and key, and all
errors come at once:

```
config/targets/mine.yaml:4: port: must be less than or equal to 65535 (got 80800)
config/targets/mine.yaml:6: dialekt: unknown key; did you mean dialect?
```

Scalars follow YAML 1.2: only `true` and `false` are booleans (`on` and `yes` are texts), a number
in quotes is a text. Unknown and duplicate keys are errors. Secrets have no place in these files;
where one is needed, a key names the file or the variable of the environment that holds it. Paths in a
file are relative to it.

In the tables `<name>` stands for any key of your own and `[]` for each item of a list.
"""

_UNITS = ", ".join(
    f"`{resource}` ({unit.replace('_per_s', '/s')})"
    for resource, unit in UNITS.items()
    if resource not in LATENCIES
)
_TARGETS = f"""\
Resources in `limits` and their units: {_UNITS}.

`agent` sets exactly one source of samples. `url`: our agent, which sees most. `listen`: our agent,
if it can reach the generator's host but not the other way round (`capacity agent --push`). `local`:
the agent's sampler inside the generator, for a target on the same host. `exporters` and `prometheus`
see only what exporters publish; everything else is unknown:

| what | process-exporter | the target's own `process_*` | cAdvisor | node_exporter |
|---|---|---|---|---|
| descriptors and their limit | of a group of one process | yes | of one process, with its process metrics | |
| threads | without their limit | | with its process metrics | |
| memory | resident, without limits of cgroups | likewise | working set (less its file cache, from 0.50 on) and its limit | |
| CPU | yes | yes | and its quota | number of cores |
| event loop | of a single thread | | | |
| file table, host memory, conntrack | | | | with their limits |
| kernel memory for TCP | | | | without its limit |
| outgoing traffic | | | | of `device`, with its speed |

A process-exporter that names groups `{{{{.PID}}}}` gives each process one of its own; run as the
target's user or as root it sees descriptors. Declare in `limits` what stays unknown.
"""
_PROFILES = """\
`kind` decides which keys a profile has: `fraction`, `levels` (a number), `steps_per_level`,
`churn_per_s_per_connection` and `connections` are for `safe`; `storm` for `safe` and `ramp`; `levels` (a list) for `ramp`; `start`,
`limit`, `growth`, `precision_ratio` and `longest_plateau_s` for `break`; `steps` for `sequence`, a
scenario. All others are for every kind. `capacity profile list` shows which question each answers.
"""
_JOBS = """\
One job per file, run by `capacity scheduled NAME`; the other files in `schedule/` start it on time.
"""
_DEMANDS = """\
Instances are sized for the upper end of the demand's interval with the lower end of the capacity's, both
one-sided 95 %. Without `--hosts` the instances are those of the host that was tested.
"""
_HOSTS = """\
The prices that are shipped are examples. CPU follows `cores` and `core_speed_ratio`, the event loop
`core_speed_ratio` alone, memory `memory_bytes`, outgoing traffic `network_bytes_per_s`; what `limits`
names is taken from there, in the units below `targets`, and everything else as it was measured.
"""
_BY_RESOURCE = ("ceiling", "limit", "utilization", "baseline", "cost")
_FIGURES = ", ".join(
    f"`{name}`" for name in DIMENSIONS if name.partition(".")[0] not in _BY_RESOURCE
)
_RULES = f"""\
`capacity check RUN` says which rules hold; exit code 10 when one of level `fail` does not. A rule is a
figure, an operator and a bound with its unit, and nothing else:

```yaml
rules: 1
check:
  - rule: headroom >= 30 %
  - rule: cost.memory_per_connection <= 12 KiB
  - rule: delivery_delay.p99 <= 250 ms
    level: warn
  - rule: bottleneck not in [unknown, event_loop]
  - rule: audit.changed == none
```

Numbers are compared with `>=`, `<=`, `>`, `<`, `==`, `!=`; names (`bottleneck`, `caveats`,
`audit.changed`, `regressions`) with `==`, `!=`, `in [...]`, `not in [...]`, where several of them are
`in` when all are and `not in` when none is; `none` is none of them. Units: `%`, bytes (`B`, `KiB`,
`MiB`, `GiB`, `kB`, `MB`, `GB`), the same with `/s`, time (`us`, `ms`, `s`, `min`), cores (`cores`,
`millicores`); counts have none. **A figure that is missing holds no rule.** `headroom` needs
`--demand` (safe capacity that the demand per instance leaves free), `audit.changed` and `regressions`
need `--baseline`. Delays are those of the worst plateau with the full mix.

Figures: {_FIGURES};
and of each resource `ceiling.<resource>`, `limit.<resource>`,
`utilization.<resource>` (at the most connections tested), `baseline.<resource>`,
`cost.<resource>_per_connection` (along the mix) and, where told apart, `_per_delivery`, `_per_request`,
`_per_handshake` (use of one a second).
"""
_NOTATIONS = """\
[docs/dialects.md](../docs/dialects.md) leads from a recorded session to a dialect.

A connection goes through `ws` (handshake), `opening` (steps that wait for their answers), `subscribe`,
and then hears `data`. Three notations carry a dialect; `dialects/deribit.yaml` shows all of them,
`okx.yaml` channels that are no plain names, `graphql.yaml` and `signalr.yaml` an opening,
`phoenix.yaml` messages that are lists, `gate.yaml` requests that differ by channel and signatures,
`bitfinex.yaml` names that confirmations hand out and numbers of a whole connection, `stomp.yaml` and `nats.yaml` text that is no JSON.

- **Template**: a JSON tree. A text that is exactly `{id:int}` or `{id:str}` becomes the request's
  id with that type, `{channels:list}` the channels as a list, `{channels:entries}`, itself in a list,
  as many entries of that list, `{symbol}` a symbol, `{symbol:upper}` and `{symbol:lower}` the same in big and small letters. Inside a longer
  text (`"book.{symbol}.100ms"`) the value is written in. There are also `{connection}` (its number,
  from 0, over all workers), `{now_s}`, `{now_ms}`, `{now_us}` (which grows from use to use within a
  worker), `{nonce}` (32 random digits and letters), a time and as much more in its own unit
  (`{now_ms+10000}`: in ten seconds), what the target file gives for `needs`, and the names
  of `signatures` and `keep`; a value that stands twice in a request, such as in its signature, is the same
  in both places. `{channel.payload}` is a part of the channel's `request`; a key whose part a channel has
  not is left out, as the signature of the private channels alone in `gate.yaml`. `{alias}` in an
  `unsubscribe` is what `subscribe.ack.alias` read. The answer to a frame may hold that frame's values:
  `{send: {pong: "{ping}"}}`, or `{$.id}` where a name means something else. A brace that is meant as
  such is followed by a space, as in GraphQL.
- **Path**: keys joined by dots from the frame's root, as in `params.channel`; whole numbers index
  lists, and -1 is a list's last entry. In `time` and `sequence` a path starts at the update (`data.items`); `$.ts` starts at the
  frame's root again. A channel's name (`data.key`, `ack.channel`) may be put together of paths:
  `"{arg.channel}:{arg.instId}"`.
- **Matcher**: path → what must stand there, all entries together: a value (equal and of the same
  type), or `{exists: true}`, `{equals: v}`, `{in: [v, w]}`, `{regex: "^text"}`. `{}` fits every frame.

A payload is first unpacked and divided (`messages`); each message is then an update if `data.where`
fits; else the answer to an open request; else what the first fitting heartbeat rule says; else ignored if a matcher of `ignore` fits, as
also for what looks like an update of a channel that nobody asked for; else *unmatched*,
which is counted and reported: the first sign of a dialect that does not fit its target.
"""


_FILES: tuple[tuple[str, str, TypeAdapter[Any]], ...] = (
    ("targets", _TARGETS, target.ADAPTER),
    ("profiles", _PROFILES, profile.ADAPTER),
    ("schedule", _JOBS, job.ADAPTER),
    ("demand", _DEMANDS, demand.ADAPTER),
    ("hosts", _HOSTS, hosts.ADAPTER),
    ("rules", _RULES, rules.ADAPTER),
    ("dialects", _NOTATIONS, dialect.ADAPTER),
)


def document() -> str:
    """Return config/README.md."""
    return "\n".join([_HEAD, *(_section(*file) for file in _FILES)])


def _section(folder: str, remark: str, adapter: TypeAdapter[Any]) -> str:
    rows = "".join(
        f"| `{key.path}` | {key.type} | {key.default} | {' '.join(key.meaning.split())} |\n"
        for key in keys_of(adapter)
    )
    return (
        f"## {folder}{'' if folder == 'rules' else '/*'}.yaml\n\n{remark}\n"
        f"| key | type | default | meaning |\n|---|---|---|---|\n{rows}"
    )


if __name__ == "__main__":
    sys.stdout.write(document())
