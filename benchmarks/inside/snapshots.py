"""Run in our environment: stores with the models of PAYLOAD, times FACTOR. PAYLOAD FOLDER FACTOR…

Prints how many models each holds. Made without a sync, which would need its memory and time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from registry_gateway_models_dev import providers_from_payload

from registry_core import Snapshot
from registry_core._base.frozen import FrozenDict
from registry_core._catalog.store import GatewayData, Generation, Store
from registry_core._sync.commit import commit, create
from registry_core.records import clean_providers

payload, folder, *factors = sys.argv[1:]
records = json.loads(Path(payload).read_bytes())
for factor in map(int, factors):
    everything = {
        f"{id}-{n}" if n else id: one for n in range(factor) for id, one in records.items()
    }
    providers, _ = clean_providers("models.dev", False, providers_from_payload(everything))
    snapshot = Snapshot.build(providers, {"models.dev": "benchmark"})
    gateways = {"models.dev": GatewayData("benchmark", time.time(), snapshot.hash)}
    store = Store(Path(folder) / str(factor))
    create(store)
    commit(store, Generation(snapshot.hash, FrozenDict(gateways), "benchmark"), [snapshot])
    print(snapshot.count()[1])
