"""A callback of Ansible's that writes what becomes of every task, one JSON object a line, to $CONFORMANCE_RECORD."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: notification
short_description: Records outcomes
description: Writes what becomes of every task of a run as lines of JSON.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, **fields):
        with Path(os.environ["CONFORMANCE_RECORD"]).open("a") as record:
            record.write(json.dumps(fields) + "\n")

    def _task(self, result, outcome, *, item=False):
        task = result._task
        self._write(
            kind="item" if item else "task",
            host=result._host.get_name(),
            place=task.get_path() or "",
            action=task.action,
            name=task.get_name(),
            outcome=outcome,
            changed=bool(result._result.get("changed")),
        )

    @staticmethod
    def _good(result):
        return "changed" if result._result.get("changed") else "ok"

    def v2_runner_on_ok(self, result):
        self._task(result, self._good(result))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._task(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self._task(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._task(result, "unreachable")

    def v2_runner_item_on_ok(self, result):
        self._task(result, self._good(result), item=True)

    def v2_runner_item_on_failed(self, result):
        self._task(result, "failed", item=True)

    def v2_runner_item_on_skipped(self, result):
        self._task(result, "skipped", item=True)

    def v2_playbook_on_include(self, included_file):
        for host in included_file._hosts:
            self._write(kind="include", host=host.get_name())

    def v2_playbook_on_stats(self, stats):
        recap = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._write(kind="recap", recap=recap)
