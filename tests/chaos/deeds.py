"""Does what a fault says, and undoes it: signals, disks, links, limits, clocks and hostile words."""

import contextlib
import signal
import subprocess
from pathlib import Path

import psutil
from faults import AGENT, TARGET
from inside.hostile import ANSWERS, FRAMES, SAMPLES

SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
CGROUPS = Path("/sys/fs/cgroup")


def prepare(stage, fault):
    """Make ready, before the command starts, what a fault needs."""
    if fault.kind == "disk full":
        _mount(stage, "-t", "tmpfs", "-o", "size=256k", "tmpfs")
    elif fault.kind == "read-only folder" and fault.choice == "from the start":
        _read_only(stage)
    elif fault.kind == "cgroup limit":
        group = _cgroup(stage, fault)
        group.mkdir()
        (group / "cgroup.procs").write_text(str(stage.target.pid))
        stage.on_leaving(_remove_cgroup, stage, group)


def do(stage, fault):
    """Do it; return what undoes it after its time, or None."""
    return DEEDS[fault.kind](stage, fault)


def _signalled(stage, fault):
    for victim in _victims(stage, fault):
        victim.send_signal(SIGNALS[fault.kind])


def _stopped(stage, fault):
    victims = _victims(stage, fault)
    for victim in victims:
        victim.suspend()
    return lambda: [victim.resume() for victim in victims if victim.is_running()]


def _victims(stage, fault):
    if fault.owner == TARGET:
        return _alive(stage.target)
    if fault.owner == AGENT:
        return _alive(stage.agent)
    command = _alive(stage.cli)
    with contextlib.suppress(psutil.NoSuchProcess):
        masters = command[0].children() if command else []
        workers = masters[0].children() if masters else []
        return {"cli": command, "master": masters, "worker": workers}[fault.choice][-1:]
    return []


def _alive(process):
    return [psutil.Process(process.pid)] if process.poll() is None else []


def _restarted(stage, fault):
    name = fault.choice
    process = getattr(stage, name)
    process.kill()
    process.wait()
    getattr(stage, f"start_{name}")()


def _filled(stage, fault):
    """Leave as many KiB free as the fault says."""
    filler = stage.run.parent / "filler"
    free_bytes = psutil.disk_usage(str(stage.run.parent)).free
    with contextlib.suppress(OSError), filler.open("wb") as file:
        file.write(bytes(max(0, free_bytes - fault.choice * 1024)))


def _made_read_only(stage, fault):
    if fault.choice == "under way" and stage.run.exists():
        _read_only(stage)


def _read_only(stage):
    place = stage.run.parent
    _mount(stage, "--bind", place)
    subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)


def _mount(stage, *words):
    place = stage.run.parent
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *words, place], check=True)
    stage.on_leaving(_unmount, stage, place)


def _unmount(stage, place):
    stage.clear()
    subprocess.run(["umount", "--lazy", place], check=True)


def _clock_set(stage, fault):
    role = fault.kind.rpartition(" ")[2]
    stage.controls[role].clock_s = fault.choice


def _hostile(stage, fault):
    role, names = {
        "hostile frames": ("target", FRAMES),
        "hostile answers": ("target", ANSWERS),
        "hostile samples": ("agent", SAMPLES),
    }[fault.kind]
    before = len(FRAMES) if fault.kind == "hostile answers" else 0
    stage.controls[role].mode = before + list(names).index(fault.choice) + 1
    return lambda: setattr(stage.controls[role], "mode", 0)


def _descriptors(stage, fault):
    for process in _alive(stage.target):
        process.rlimit(psutil.RLIMIT_NOFILE, (fault.choice, fault.choice))


def _cgroup(stage, fault):
    return CGROUPS / fault.choice.partition(".")[0] / f"chaos-{stage.mark[:8]}"


def _cgroup_set(stage, fault):
    value = {"pids.max": "50", "memory.limit_in_bytes": str(400 << 20)}[fault.choice]
    (_cgroup(stage, fault) / fault.choice).write_text(value)


def _remove_cgroup(stage, group):
    stage.clear()
    for process in (stage.target, stage.agent):
        process.kill()
        process.wait()
    with contextlib.suppress(OSError):
        group.rmdir()


def _cut(stage, _fault):
    stage.link("down")
    return lambda: stage.link("up")


def _slowed(stage, fault):
    stage.slow(fault.choice)
    return lambda: stage.slow(None)


DEEDS = {
    "kill": _signalled,
    "interrupt": _signalled,
    "terminate": _signalled,
    "stop": _stopped,
    "restart": _restarted,
    "disk full": _filled,
    "read-only folder": _made_read_only,
    "clock of the generator": _clock_set,
    "clock of the target": _clock_set,
    "clock of the agent": _clock_set,
    "hostile frames": _hostile,
    "hostile answers": _hostile,
    "hostile samples": _hostile,
    "descriptor limit": _descriptors,
    "cgroup limit": _cgroup_set,
    "cut link": _cut,
    "slow link": _slowed,
}
