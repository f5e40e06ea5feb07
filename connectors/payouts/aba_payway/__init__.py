"""ABA PayWay payout: wages to accounts at ABA Bank."""
