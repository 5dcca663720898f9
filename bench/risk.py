"""What the risk rules cost the engine: its commands a second with all of them on, beside all of them off.

    python -m bench.risk

The mix, accounts and clock are those of `engine_commands` (bench/engine.py). The rules flag, with figures that the mix rarely breaks, so
it is the judging and remembering that is measured. Run five times, interleaved; the median of the ratios is printed.
"""

from __future__ import annotations

import gc
from statistics import median

from bench.engine import COMMANDS, Asked, command_stream, engine_rate
from engine.apply import apply
from engine.commands import Envelope, SetRiskRule
from engine.kinds import RiskMode, RiskRule, Source
from engine.risk_figures import DEFAULTS
from engine.state import State
from engine.units import NOTIONAL_MAX_E4
from run import GC_THRESHOLDS

ROUNDS = 5


def rules_on(state: State) -> None:
    """All rules flag; no tier has a limit that the mix would meet. The sequence stays that of the stream's ids."""
    seq = state.seq
    for rule in RiskRule:
        figures = (NOTIONAL_MAX_E4,) * 3 if rule is RiskRule.KYC_LIMIT else DEFAULTS[rule]
        command = SetRiskRule(rule, RiskMode.FLAG, figures)
        if apply(state, Envelope(Source.CONFIG), command, 1).refused is not None:
            raise RuntimeError(f"{rule.name} cannot be set")
    state.seq = seq


def rates(stream: list[Asked]) -> tuple[float, float]:
    """Commands a second with the rules on and with none."""
    return engine_rate(stream, rules_on), engine_rate(stream)


def main() -> None:
    """Run the benchmark, interleaved with its peer."""
    gc.set_threshold(*GC_THRESHOLDS)
    stream = command_stream(COMMANDS)
    pairs = [rates(stream) for _ in range(ROUNDS)]
    ours, peers = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    ratio = median(one / other for one, other in pairs)
    print(
        f"bench name=engine_commands_all_risk_rules value={ours:.0f} unit=commands/s clock=cpu peer={peers:.0f}"
        f" ratio={ratio:.3f}"
    )


if __name__ == "__main__":
    main()
