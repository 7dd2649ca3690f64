"""The study as a page looks at it: who is compared, on which episodes, and where each number comes from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from experiments.page import standings
from experiments.page.standings import Contrast
from experiments.records.tables import Table, concat, select
from experiments.results.evaluations import Row
from experiments.results.study_tables import StudyTables
from experiments.results.words import POPULATIONS


@dataclass(frozen=True)
class Findings:
    """Tables of a study with what follows from its primary comparison, computed once."""

    study: StudyTables

    @property
    def primary(self) -> dict[str, Any]:
        """Agent, baseline (either may be None), protocol, shield, population, prespecified."""
        found: dict[str, Any] = self.study.about["primary"]
        return found

    @property
    def pair(self) -> list[str]:
        """The primary agent and its baseline, as far as there are any; else the first agent of the results."""
        named = [name for name in (self.primary["agent"], self.primary["baseline"]) if name is not None]
        return named or [self.ruled[0]["agent"]]

    @cached_property
    def learned(self) -> frozenset[str]:
        """Names of the agents that were trained."""
        agents = self.study.agents
        names = zip(agents["agent"].tolist(), agents["learned"].tolist(), strict=True)
        return frozenset(name for name, learned in names if learned)

    def diaries(self) -> list[str]:
        """Protocols that replay recorded days; the primary one is never among them."""
        protocols = self.study.about["protocols"]
        return [
            name for name, said in protocols.items() if said.get("diary") and name != self.primary["protocol"]
        ]

    def population(self, protocol: str) -> str:
        """Whose results of a protocol are shown: the primary population, or everybody where it has none of it."""
        mine = select(self.study.episodes, protocol=protocol)
        wanted = str(self.primary["population"])
        has = wanted == "all" or (mine["drawn"] == float(wanted == "drawn")).any()
        return wanted if has else "all"

    @cached_property
    def episodes(self) -> Table:
        """Episodes of the population of every protocol without a diary, the primary protocol first."""
        everything = self.study.episodes
        names = [
            name for name in dict.fromkeys(everything["protocol"].tolist()) if name not in self.diaries()
        ]
        names.sort(key=lambda name: name != self.primary["protocol"])
        return concat(
            [
                standings.of_population(select(everything, protocol=name), self.population(name))
                for name in names
            ]
        )

    @cached_property
    def rows(self) -> list[Row]:
        """Results of every protocol without a diary, the primary one first."""
        return standings.standings(self.episodes, self.learned)

    @cached_property
    def main(self) -> list[Row]:
        """Results of the primary protocol, with and without shield."""
        return [row for row in self.rows if row["protocol"] == self.primary["protocol"]]

    @cached_property
    def ruled(self) -> list[Row]:
        """Results of the primary protocol under the primary shield setting."""
        return [row for row in self.main if row["shield"] == self.primary["shield"]]

    @cached_property
    def judged(self) -> Table:
        """Episodes of the primary protocol, population and shield."""
        return select(self.episodes, protocol=self.primary["protocol"], shield=self.primary["shield"])

    @cached_property
    def contrast(self) -> Contrast | None:
        """The primary comparison; None where there is no agent, no baseline, or no common day."""
        return standings.contrast(self.episodes, *self._named, self.learned) if all(self._named) else None

    @cached_property
    def secondary(self) -> list[Contrast]:
        """All other comparisons of the primary agent, adjusted together."""
        if not all(self._named):
            return []
        return standings.secondary(self.episodes, *self._named, self.learned, self._others())

    @property
    def _named(self) -> tuple[str, str, str, str]:
        """Agent, baseline, protocol and shield of the primary comparison; what there is none of is empty."""
        agent, baseline, protocol, shield = (
            str(self.primary[name] or "") for name in ("agent", "baseline", "protocol", "shield")
        )
        return agent, baseline, protocol, shield

    def _others(self) -> dict[str, Table]:
        """Episodes of the primary protocol of people outside the primary population, by the words for them."""
        mine = select(self.study.episodes, protocol=self.primary["protocol"])
        name = {"table": "drawn", "drawn": "table"}.get(str(self.primary["population"]))
        table = standings.of_population(mine, name) if name else mine
        return {POPULATIONS[name]: table} if name and len(table["person"]) else {}

    def row(self, agent: str | None) -> Row | None:
        """The row of an agent in the primary protocol and shield setting."""
        return next((row for row in self.ruled if row["agent"] == agent), None)

    def of_primary(self, table: Table) -> Table:
        """The rows of curves.csv or doses.csv of the primary protocol, shield setting and population."""
        mine = select(table, protocol=self.primary["protocol"], shield=self.primary["shield"])
        return standings.of_population(mine, self.population(self.primary["protocol"]))

    def source(self, file: str, protocol: str = "") -> str:
        """Where a table or figure comes from: file, protocol and the beginning of its hash."""
        protocol = protocol or str(self.primary["protocol"])
        digest = str(self.study.about["protocols"][protocol]["hash"])[:12]
        return f"{file}, protocol {protocol}, hash {digest}"
