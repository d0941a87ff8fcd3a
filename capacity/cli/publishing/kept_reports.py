"""A directory of published reports: each run's page, what the index tells of it, and the index."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from capacity.cli.plan import write_whole
from capacity.domain.errors import ConfigError
from capacity.domain.plan import CapacityPlan
from capacity.domain.run import RunRecord
from capacity.reporting.formats import html, index_page
from capacity.reporting.formats.index_page import Published

PAGES, LIST, INDEX = "reports", "published.json", "index.html"
_FORMAT = 1


def keep(
    folder: Path, record: RunRecord, plan: CapacityPlan, notices: tuple[str, ...]
) -> list[Path]:
    """Add the report of a run to *folder*, in place of one of the same run; return what was written.

    Raises ConfigError where the list in *folder* is not ours: it is left as it is.
    """
    others = [each for each in _listed(folder / LIST) if each.run != plan.run]
    name = f"{quote(plan.run, safe='')}.html"
    high = plan.capacity.high
    entry = Published(
        run=plan.run,
        target=record.manifest.target.name or "target",
        started_at=record.manifest.started_at,
        page=f"{PAGES}/{quote(name)}",
        capacity_low_connections=plan.capacity.low,
        capacity_mid_connections=plan.capacity.mid,
        capacity_high_connections=high if math.isfinite(high) else None,
        safe_capacity_connections=plan.safe_capacity,
        bottleneck=plan.binding.value,
        caveats=len(plan.doubts),
    )
    reports = [*others, entry]
    (folder / PAGES).mkdir(parents=True, exist_ok=True)
    document = {"published": _FORMAT, "reports": [asdict(each) for each in reports]}
    texts = {
        folder / PAGES / name: html.render(record, plan, notices),
        folder / LIST: json.dumps(document, indent=2) + "\n",
        folder / INDEX: index_page.render(reports),
    }
    for path, text in texts.items():
        write_whole(path, text)
    return list(texts)


def _listed(path: Path) -> list[Published]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = [Published(**each) for each in document["reports"]]
        version = document["published"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: not what `capacity publish` wrote ({error!r}); move it, or give another --to"
        ) from None
    if version != _FORMAT:
        raise ConfigError(
            f"{path}: has format {version!r}, this program knows {_FORMAT}; update it, or give"
            " another --to"
        )
    return found
