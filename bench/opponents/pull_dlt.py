"""dlt reads every transaction that is ready: extracted into files and normalized, not loaded.

    python pull_dlt.py BASE_URL TOKEN DIRECTORY

Prints how many rows there were and the processor's seconds, without those of its start.
"""

import json
import os
import sys

import dlt  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]


def main(base_url: str, token: str, directory: str) -> None:
    source = rest_api_source(
        {
            "client": {
                "base_url": base_url,
                "auth": {"type": "bearer", "token": token},
                "paginator": {"type": "json_link", "next_url_path": "page.next"},
            },
            "resources": [
                {
                    "name": "transactions",
                    "endpoint": {
                        "path": "transactions",
                        "params": {"sync_status": "SYNC_READY", "page_size": 100},
                        "data_selector": "data",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline("bench", destination="dummy", pipelines_dir=directory)
    before = os.times()
    pipeline.extract(source)
    info = pipeline.normalize()
    used = sum(os.times()[:4]) - sum(before[:4])
    print(json.dumps({"rows": info.row_counts["transactions"], "seconds": used}))


if __name__ == "__main__":
    main(*sys.argv[1:])
