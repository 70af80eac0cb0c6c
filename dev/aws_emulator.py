"""The AWS emulator of terraform-lab, with what moto lacks of budgets: subscribers and tags.

Runs with the laboratory's own Python: aws_emulator.py MOTO_EXT -H 127.0.0.1 -p PORT.
"""

import importlib
import json
import runpy
import sys
from typing import Any

_tags: dict[str, Any] = {}


def _subscribers(self: Any) -> str:
    budgets = self.backend.budgets[self._get_param("AccountId")]
    notification = self._get_param("Notification")
    stored = budgets[self._get_param("BudgetName")].notifications
    matching = [one.subscribers for one in stored if one.details == notification]
    return json.dumps({"Subscribers": matching[0] if matching else []})


def _list_tags(self: Any) -> str:
    name = self._get_param("ResourceARN").rpartition("budget/")[2]
    return json.dumps({"ResourceTags": _tags.get(name, [])})


def _complete(budgets: Any) -> None:
    create = budgets.create_budget

    def create_budget(self: Any) -> Any:
        _tags[self._get_param("Budget")["BudgetName"]] = self._get_param("ResourceTags", [])
        return create(self)

    budgets.create_budget = create_budget
    budgets.describe_subscribers_for_notification = _subscribers
    budgets.list_tags_for_resource = _list_tags


if __name__ == "__main__":
    _complete(importlib.import_module("moto.budgets.responses").BudgetsResponse)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
