"""The credit line's tables: the line and its moves, applications, consents, limits, loans, their events, refunds.

A loan is written once, at the purchase, and its schedule is the fold of its terms and events; the columns that a
repayment moves (`outstanding_minor`, `next_due_on`, …) sum that fold up, so that "what is overdue" needs no fold.
"""

from alembic import op

from fenqi.database.placement import place

revision = "0006_credit"
down_revision = "0005_order"
branch_labels = None
depends_on = None

_STATES = """'not_opened', 'pending', 'rejected', 'not_activated', 'active', 'frozen', 'self_locked',
             'dormant_locked', 'pin_locked', 'closed_by_user', 'closed_by_lender'"""


def upgrade() -> None:
    """Create them in the order of their references."""
    _line()
    _application()
    _limit()
    _loan()


def downgrade() -> None:
    """Drop them in reverse."""
    for table in (
        "refund",
        "loan_event",
        "loan",
        "credit_limit",
        "credit_review",
        "credit_application",
        "credit_consent",
        "credit_line_move",
        "credit_line",
    ):
        op.execute(f"DROP TABLE {table}")


def _line() -> None:
    op.execute(f"""
        CREATE TABLE credit_line (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ({_STATES})),
            version bigint NOT NULL,
            opened_at timestamptz NOT NULL,
            expected_by_at timestamptz,
            principal_reasons text[] NOT NULL DEFAULT '{{}}' CHECK (cardinality(principal_reasons) <= 4),
            reapply_from_on date,
            approved_minor bigint CHECK (approved_minor > 0),
            locked_until_at timestamptz,
            frozen_until_at timestamptz,
            agreement_signed text,
            consents text[] NOT NULL DEFAULT '{{}}',
            opened_on_other_account boolean NOT NULL DEFAULT false,
            bill_day smallint CHECK (bill_day BETWEEN 1 AND 31),
            loans_cap smallint NOT NULL CHECK (loans_cap >= 0),
            instalment_ceiling_minor bigint CHECK (instalment_ceiling_minor >= 0),
            observed_until_on date,
            overdue_with_others boolean NOT NULL DEFAULT false,
            dispute_case text,
            in_collections boolean NOT NULL DEFAULT false,
            hardship_until_on date,
            virtual_suspended boolean NOT NULL DEFAULT false,
            PRIMARY KEY (bucket, consumer_id)
        )""")
    place(op.execute, "credit_line", "consumer")
    op.execute("""
        CREATE TABLE credit_line_move (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            version bigint NOT NULL,
            from_state text NOT NULL,
            to_state text NOT NULL,
            changed json NOT NULL,
            moved_by text NOT NULL CHECK (moved_by <> ''),
            why text NOT NULL CHECK (why <> ''),
            moved_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, version)
        )""")
    place(op.execute, "credit_line_move", "consumer", append_only=True)
    op.execute("""
        CREATE TABLE credit_consent (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            consent_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('agreement', 'bureau', 'personal_information')),
            version text NOT NULL,
            given boolean NOT NULL,
            decided_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, consent_id)
        )""")
    place(op.execute, "credit_consent", "consumer", append_only=True)


def _application() -> None:
    op.execute("""
        CREATE TABLE credit_application (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            application_id uuid NOT NULL,
            applied_at timestamptz NOT NULL,
            policy_version text NOT NULL,
            inputs json NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('approved', 'rejected', 'review')),
            limit_minor bigint NOT NULL CHECK (limit_minor >= 0),
            principal_reasons text[] NOT NULL,
            PRIMARY KEY (bucket, consumer_id, application_id)
        )""")
    place(op.execute, "credit_application", "consumer", append_only=True)
    op.execute("""
        CREATE TABLE credit_review (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            application_id uuid NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('approved', 'rejected')),
            limit_minor bigint NOT NULL CHECK (limit_minor >= 0),
            principal_reasons text[] NOT NULL,
            reviewed_by text NOT NULL,
            why text NOT NULL,
            reviewed_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, application_id),
            FOREIGN KEY (bucket, consumer_id, application_id) REFERENCES credit_application
        )""")
    place(op.execute, "credit_review", "consumer", append_only=True)


def _limit() -> None:
    op.execute("""
        CREATE TABLE credit_limit (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            path text NOT NULL CHECK (path LIKE 'asset:loan_principal:%'),
            kind text NOT NULL CHECK (kind IN ('fixed', 'temporary', 'dedicated')),
            granted_minor bigint NOT NULL CHECK (granted_minor >= 0),
            frozen_minor bigint NOT NULL DEFAULT 0 CHECK (frozen_minor >= 0),
            scenes text[] NOT NULL DEFAULT '{}',
            categories text[] NOT NULL DEFAULT '{}',
            installable boolean NOT NULL DEFAULT true,
            expires_on date,
            closed_on date,
            reduced_from_minor bigint,
            reduced_until_on date,
            CHECK (frozen_minor <= granted_minor),
            CHECK ((kind = 'temporary') = (expires_on IS NOT NULL)),
            PRIMARY KEY (bucket, consumer_id, path)
        )""")
    place(op.execute, "credit_limit", "consumer")
    op.execute("""
        CREATE INDEX credit_limit_expiring ON credit_limit (bucket, expires_on)
        WHERE expires_on IS NOT NULL AND closed_on IS NULL""")


def _loan() -> None:
    op.execute("""
        CREATE TABLE loan (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            loan_id uuid NOT NULL,
            order_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            journal_id uuid NOT NULL,
            plan text NOT NULL,
            product_version text NOT NULL,
            terms text NOT NULL,
            draws text NOT NULL,
            principal_minor bigint NOT NULL CHECK (principal_minor > 0),
            subsidy_minor bigint NOT NULL CHECK (subsidy_minor >= 0),
            disbursed_on date NOT NULL,
            first_due_on date NOT NULL,
            drawn_at timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ('active', 'settled', 'cancelled', 'refunded')),
            events smallint NOT NULL,
            outstanding_minor bigint NOT NULL CHECK (outstanding_minor BETWEEN 0 AND principal_minor),
            next_due_on date,
            PRIMARY KEY (bucket, consumer_id, loan_id),
            CHECK ((state = 'active') = (next_due_on IS NOT NULL))
        )""")
    place(op.execute, "loan", "consumer")
    # Budgets of interest-free plans are summed over all consumers; loans without a subsidy don't pay for it.
    op.execute("""
        CREATE INDEX loan_subsidised ON loan (plan) INCLUDE (subsidy_minor, state) WHERE subsidy_minor > 0""")
    op.execute("""
        CREATE TABLE loan_event (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            loan_id uuid NOT NULL,
            n smallint NOT NULL CHECK (n > 0),
            kind text NOT NULL
                CHECK (kind IN ('repayment', 'prepayment', 'refund', 'cancellation', 'waiver', 'penalty')),
            happened_on date NOT NULL,
            event text NOT NULL,
            returned text NOT NULL,
            journal_id uuid,
            recorded_by text NOT NULL,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, loan_id, n),
            FOREIGN KEY (bucket, consumer_id, loan_id) REFERENCES loan
        )""")
    place(op.execute, "loan_event", "consumer", append_only=True)
    op.execute("""
        CREATE TABLE refund (
            bucket smallint NOT NULL,
            consumer_id uuid NOT NULL,
            refund_id uuid NOT NULL,
            order_id uuid NOT NULL,
            purchase_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('refund', 'cancellation')),
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            on_credit_minor bigint NOT NULL CHECK (on_credit_minor >= 0),
            to_limit_minor bigint NOT NULL CHECK (to_limit_minor >= 0),
            to_money_account_minor bigint NOT NULL CHECK (to_money_account_minor >= 0),
            shares text NOT NULL,
            refunded_by text NOT NULL,
            why text NOT NULL,
            refunded_at timestamptz NOT NULL,
            PRIMARY KEY (bucket, consumer_id, refund_id)
        )""")
    place(op.execute, "refund", "consumer", append_only=True)
