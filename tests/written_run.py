"""A record as the master would have written it."""

from capacity.recording.run_directory import RunWriter


def write_run(path, record):
    """Write *record* to the directory *path* and return it."""
    writer = RunWriter(path, record.manifest)
    for step in record.steps:
        writer.append_step(step)
    writer.append_samples(record.samples)
    for point in record.points:
        writer.append_point(point)
    for event in record.events:
        writer.append_event(event)
    return path
