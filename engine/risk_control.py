"""What operators and config say to the risk rules: set a rule for a scope, a customer's KYC tier, which accounts belong together."""

from __future__ import annotations

from engine.commands import Envelope, LinkAccount, SetKycTier, SetRiskRule
from engine.events import AccountLinked, KycTierSet, Refused, RiskRuleSet
from engine.kinds import RiskMode, RiskRule
from engine.refusals import Refusal
from engine.risk_figures import KYC_TIER_MAX, figures_fit
from engine.risk_state import EVERYBODY, RuleRow, table_of
from engine.trading import Answer
from engine.turn import Turn

LINK_GROUP_MAX = 64
"""Characters of a group's name."""


def set_risk_rule(turn: Turn, envelope: Envelope, command: SetRiskRule) -> Answer:
    """Set a rule for everybody or for a narrower scope; INHERIT takes the scope's row away.

    Trades between linked accounts are one question for the whole venue: that rule has no narrower scope.
    """
    state = turn.state
    if command.account_id and command.account_id not in state.accounts:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if command.symbol and command.symbol not in state.instruments:
        return Refused(Refusal.UNKNOWN_SYMBOL)
    scope = (command.account_id, command.symbol)
    if command.rule is RiskRule.WASH_TRADE and scope != EVERYBODY:
        return Refused(Refusal.INVALID_RISK_RULE)
    key = (command.rule, *scope)
    if command.mode is RiskMode.INHERIT:
        state.risk_rules.pop(key, None)
    elif not figures_fit(command.rule, command.figures):
        return Refused(Refusal.INVALID_RISK_RULE)
    else:
        state.risk_rules[key] = RuleRow(command.rule, *scope, command.mode, command.figures)
    state.risk = table_of(state.risk_rules.values())
    state.dirty["risk_rule"][key] = None
    turn.events.append(
        RiskRuleSet(command.rule, command.account_id, command.symbol, command.mode, command.figures)
    )
    return None


def set_kyc_tier(turn: Turn, envelope: Envelope, command: SetKycTier) -> Answer:
    """Say how well a customer is known: 0 not yet, 1 basic, 2 standard, 3 enhanced."""
    account = turn.state.accounts.get(command.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if not 0 <= command.tier <= KYC_TIER_MAX:
        return Refused(Refusal.INVALID_RISK_RULE, (("tier_max", KYC_TIER_MAX),))
    account.kyc_tier = command.tier
    turn.accounts[account.account_id] = account
    turn.events.append(KycTierSet(account.account_id, command.tier))
    return None


def link_account(turn: Turn, envelope: Envelope, command: LinkAccount) -> Answer:
    """Put an account into a group of accounts that belong together ('': into none)."""
    account = turn.state.accounts.get(command.account_id)
    if account is None:
        return Refused(Refusal.ACCOUNT_NOT_FOUND)
    if len(command.group) > LINK_GROUP_MAX:
        return Refused(Refusal.INVALID_RISK_RULE, (("characters_max", LINK_GROUP_MAX),))
    account.link_group = command.group
    turn.accounts[account.account_id] = account
    turn.events.append(AccountLinked(account.account_id, command.group, command.reason))
    return None
