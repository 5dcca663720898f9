#!/bin/sh
# A client with nothing but curl: signs in as a demo trader, places a limit order, cancels it, and prints the balance.
#   sh docs/samples/trade.sh [http://127.0.0.1:8080]
set -eu
url=${1:-http://127.0.0.1:8080}/api/v1
json='Content-Type: application/json'

member() { # the text of a string member of a JSON object
    grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4
}

token=$(curl -sSf "$url/auth/login" -H "$json" \
    -d '{"email":"trader1@kerb.example","password":"paper-money-2026"}' | member access_token)
auth="Authorization: Bearer $token"

# The key makes it safe to repeat the call: the same key and body have one effect and one answer.
order=$(curl -sSf --retry 3 "$url/orders" -H "$auth" -H "$json" -H "Idempotency-Key: sample-$(date +%s)-$$" \
    -d '{"stock_symbol":"AAPL","side":"BUY","order_type":"LIMIT","quantity":1,"price":"200.00"}' | member order_id)
echo "placed $order"
curl -sSf -X DELETE "$url/orders/$order" -H "$auth" | member status
curl -sSf "$url/wallet/balance" -H "$auth"
echo
