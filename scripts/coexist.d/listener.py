"""Node programs of a venue on the meters' port, and what each of them heard."""

import glob
import json
import os
import signal
import subprocess
import time

GRACE = 1.0  # seconds after it bound from which a program has to get everything


class Listener:
    """A Node program on the port."""

    def __init__(self, scene, name, reuse=True, workers=0):
        self.scene, self.name, self.reuse, self.workers = scene, name, reuse, workers
        self.spans = []  # from when to when it was bound; a cluster's workers one after the other
        self.error = None
        self.file = f"{scene.base}.{name.replace(' ', '-')}"
        command = ["node", os.path.dirname(__file__) + "/listener.js", self.file, str(scene.options.meter_port), str(int(reuse)), str(workers)]
        self.process = scene.start(command, subprocess.PIPE, text=True)
        self.wait_bound()

    def wait_bound(self):
        said = [self.process.stdout.readline().split() for _ in range(self.workers or 1)]
        self.error = next((words[0] for words in said if words[0] != "bound"), None)
        if not self.error:
            self.spans.append([max(int(words[1]) for words in said) / 1000, float("inf")])

    def restart_workers(self):
        self.spans[-1][1] = time.time()
        self.process.send_signal(signal.SIGUSR2)
        self.wait_bound()

    def stop(self):
        self.spans[-1][1] = time.time()
        self.scene.end(self.process)

    def judge(self, unit):
        """What it got of what it had to get, how late the first came, and from where. Of what was sent in the last tenth
        of a second before it ended, some may be on its way."""
        wanted = set().union(*(unit.between(start + GRACE, end - 0.1) for start, end in self.spans))
        heard = [json.load(open(path)) for path in glob.glob(self.file + ".*")]
        numbers = [number for one in heard for number in one["numbers"]]
        got, twice = len(wanted & set(numbers)), len(numbers) - len(set(numbers))
        first = min((one["first"] for one in heard if one["first"]), default=None)
        begun = max(self.spans[0][0], min(unit.sent.values()))
        late = "never" if first is None else f"{max(0, first / 1000 - begun) * 1000:.0f} ms"
        sources = ", ".join(sorted({source for one in heard for source in one["sources"]}))
        if self.scene.beside:
            self.scene.promise(got == len(wanted) > 0, f"{self.name} got {got} of {len(wanted)}")
            self.scene.promise(twice == 0, f"{self.name} got {twice} twice")
        return share(got, len(wanted)), late, sources


def share(part, whole):
    return f"{part} of {whole} ({100 * part / max(1, whole):.4g} %)"
