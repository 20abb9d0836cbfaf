#include "engine/sip/transaction.hpp"

#include <tuple>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

using namespace std::chrono_literals;
using enum transaction_state;

constexpr timer_values timers{};
constexpr time_point t0{1000s};

/// A step in short: which of its bits are set, and the state after it.
struct outcome {
  transaction_state state;
  std::string bits;
  friend bool operator==(const outcome&, const outcome&) = default;
};

std::string bits_of(transaction_step s) {
  std::string out;
  if (s.send)
    out += 's';
  if (s.acknowledge)
    out += 'a';
  if (s.deliver)
    out += 'd';
  if (s.timed_out)
    out += 't';
  if (s.terminated)
    out += 'x';
  return out;
}

std::ostream& operator<<(std::ostream& out, const outcome& o) {
  return out << static_cast<int>(o.state) << '/' << o.bits;
}

// -- client ---------------------------------------------------------------------------

client_transaction client_in(transaction_state s, bool invite, bool reliable) {
  client_transaction t;
  t.start(t0, invite, reliable, timers);
  if (s == proceeding)
    t.on_response(t0, 180, reliable, timers);
  if (s == completed)
    t.on_response(t0, invite ? 486 : 200, reliable, timers);
  if (s == accepted)
    t.on_response(t0, 200, reliable, timers);
  EXPECT_EQ(t.state(), s);
  return t;
}

struct client_row {
  transaction_state state;
  int input; // a status; 0: the limit's timer; -1: transport error
  transaction_state after;
  const char* bits;
};

void check_client(bool invite, bool reliable, std::initializer_list<client_row> rows) {
  for (auto& row : rows) {
    SCOPED_TRACE("state " + std::to_string(static_cast<int>(row.state)) + " input " +
                 std::to_string(row.input));
    auto t = client_in(row.state, invite, reliable);
    auto at = t.next_deadline();
    while (row.input == 0 && at != never) { // retransmissions until the limit
      auto step = t.on_time(at, reliable, timers);
      if (!step.send) {
        EXPECT_EQ((outcome{t.state(), bits_of(step)}), (outcome{row.after, row.bits}));
        break;
      }
      at = t.next_deadline();
    }
    if (row.input == 0)
      continue;
    auto step =
      row.input < 0 ? t.on_transport_error() : t.on_response(t0 + 1s, row.input, reliable, timers);
    EXPECT_EQ((outcome{t.state(), bits_of(step)}), (outcome{row.after, row.bits}));
  }
}

TEST(transaction, invite_client_figure_5) {
  check_client(true, false, {{calling, 100, proceeding, "d"},    {calling, 180, proceeding, "d"},
                             {calling, 200, accepted, "d"},      {calling, 302, completed, "ad"},
                             {calling, 486, completed, "ad"},    {calling, 603, completed, "ad"},
                             {calling, 0, terminated, "tx"},     {calling, -1, terminated, "x"},
                             {proceeding, 183, proceeding, "d"}, {proceeding, 200, accepted, "d"},
                             {proceeding, 401, completed, "ad"}, {proceeding, -1, terminated, "x"},
                             {completed, 180, completed, ""},    {completed, 200, completed, ""},
                             {completed, 486, completed, "a"},   {completed, 0, terminated, "x"},
                             {completed, -1, terminated, "x"},   {accepted, 180, accepted, ""},
                             {accepted, 200, accepted, "d"},     {accepted, 486, accepted, ""},
                             {accepted, 0, terminated, "x"}});
}

TEST(transaction, invite_client_reliable) {
  check_client(true, true,
               {{calling, 486, terminated, "adx"},
                {proceeding, 302, terminated, "adx"},
                {calling, 200, accepted, "d"},
                {accepted, 200, accepted, "d"},
                {accepted, 0, terminated, "x"},
                {calling, 0, terminated, "tx"}});
}

TEST(transaction, non_invite_client_figure_6) {
  check_client(false, false,
               {{trying, 100, proceeding, "d"},
                {trying, 200, completed, "d"},
                {trying, 404, completed, "d"},
                {trying, 0, terminated, "tx"},
                {trying, -1, terminated, "x"},
                {proceeding, 183, proceeding, "d"},
                {proceeding, 200, completed, "d"},
                {proceeding, 500, completed, "d"},
                {proceeding, 0, terminated, "tx"},
                {proceeding, -1, terminated, "x"},
                {completed, 100, completed, ""},
                {completed, 200, completed, ""},
                {completed, 486, completed, ""},
                {completed, 0, terminated, "x"}});
  check_client(false, true,
               {{trying, 200, terminated, "dx"},
                {proceeding, 404, terminated, "dx"},
                {trying, 0, terminated, "tx"},
                {proceeding, 0, terminated, "tx"}});
}

std::vector<int64_t> retransmissions(bool invite, int status_first) {
  client_transaction t;
  t.start(t0, invite, false, timers);
  if (status_first)
    t.on_response(t0, status_first, false, timers);
  std::vector<int64_t> at;
  while (t.active()) {
    auto now = t.next_deadline();
    if (now == never)
      break;
    auto step = t.on_time(now, false, timers);
    at.push_back((now - t0) / 1ms);
    if (!step.send)
      break;
  }
  return at;
}

TEST(transaction, timers_a_and_b) {
  EXPECT_EQ(retransmissions(true, 0),
            (std::vector<int64_t>{500, 1500, 3500, 7500, 15500, 31500, 32000}));
  EXPECT_TRUE(retransmissions(true, 180).empty());
}

TEST(transaction, timers_e_and_f) {
  EXPECT_EQ(retransmissions(false, 0), (std::vector<int64_t>{500, 1500, 3500, 7500, 11500, 15500,
                                                             19500, 23500, 27500, 31500, 32000}));
  // In Proceeding E is T2.
  EXPECT_EQ(retransmissions(false, 100),
            (std::vector<int64_t>{500, 4500, 8500, 12500, 16500, 20500, 24500, 28500, 32000}));
}

TEST(transaction, timers_d_k_and_m) {
  EXPECT_EQ(client_in(completed, true, false).next_deadline() - t0, 32s);
  EXPECT_EQ(client_in(completed, false, false).next_deadline() - t0, 5s);
  EXPECT_EQ(client_in(accepted, true, false).next_deadline() - t0, 32s);
  EXPECT_EQ(client_in(accepted, true, true).next_deadline() - t0, 32s);
}

// -- server ---------------------------------------------------------------------------

server_transaction server_in(transaction_state s, bool invite, bool reliable) {
  server_transaction t;
  t.start(t0, invite);
  if (s == proceeding && !invite)
    t.respond(t0, 100, reliable, timers);
  if (s == completed || s == confirmed)
    t.respond(t0, invite ? 486 : 200, reliable, timers);
  if (s == accepted)
    t.respond(t0, 200, reliable, timers);
  if (s == confirmed)
    t.on_ack(t0, reliable, timers);
  EXPECT_EQ(t.state(), s);
  return t;
}

enum input : int { request = 1, ack = 2, limit = 3, error = 4 }; // else the user's response

struct server_row {
  transaction_state state;
  int input;
  transaction_state after;
  const char* bits;
};

void check_server(bool invite, bool reliable, std::initializer_list<server_row> rows) {
  for (auto& row : rows) {
    SCOPED_TRACE("state " + std::to_string(static_cast<int>(row.state)) + " input " +
                 std::to_string(row.input));
    auto t = server_in(row.state, invite, reliable);
    transaction_step step;
    switch (row.input) {
    case request:
      step = t.on_request(t0 + 1s);
      break;
    case ack:
      step = t.on_ack(t0 + 1s, reliable, timers);
      break;
    case limit:
      do
        step = t.on_time(t.next_deadline(), reliable, timers);
      while (step.send);
      break;
    case error:
      step = t.on_transport_error();
      break;
    default:
      step = t.respond(t0 + 1s, row.input, reliable, timers);
    }
    EXPECT_EQ((outcome{t.state(), bits_of(step)}), (outcome{row.after, row.bits}));
  }
}

TEST(transaction, invite_server_figure_7) {
  check_server(true, false,
               {{proceeding, request, proceeding, ""},
                {proceeding, 100, proceeding, "s"},
                {proceeding, 180, proceeding, "s"},
                {proceeding, 200, accepted, "s"},
                {proceeding, 404, completed, "s"},
                {proceeding, ack, proceeding, ""},
                {proceeding, error, terminated, "x"},
                {completed, request, completed, "s"},
                {completed, ack, confirmed, ""},
                {completed, 200, completed, ""},
                {completed, limit, terminated, "tx"},
                {completed, error, terminated, "x"},
                {accepted, request, accepted, ""},
                {accepted, ack, accepted, "d"},
                {accepted, 200, accepted, ""},
                {accepted, limit, terminated, "tx"},
                {confirmed, request, confirmed, ""},
                {confirmed, ack, confirmed, ""},
                {confirmed, limit, terminated, "x"}});
  check_server(true, true,
               {{completed, ack, terminated, "x"},
                {completed, limit, terminated, "tx"},
                {proceeding, 200, accepted, "s"},
                {accepted, ack, accepted, "d"}});
}

TEST(transaction, non_invite_server_figure_8) {
  check_server(false, false,
               {{trying, request, trying, ""},
                {trying, 100, proceeding, "s"},
                {trying, 200, completed, "s"},
                {proceeding, request, proceeding, "s"},
                {proceeding, 183, proceeding, "s"},
                {proceeding, 500, completed, "s"},
                {proceeding, error, terminated, "x"},
                {completed, request, completed, "s"},
                {completed, 200, completed, ""},
                {completed, limit, terminated, "x"}});
  check_server(false, true, {{trying, 200, terminated, "sx"}, {proceeding, 404, terminated, "sx"}});
}

TEST(transaction, timer_g_and_2xx_retransmission) {
  for (auto [status, reliable, expected] :
       {std::tuple{486, false, 11}, {486, true, 1}, {200, false, 11}, {200, true, 11}}) {
    server_transaction t;
    t.start(t0, true);
    t.respond(t0, status, reliable, timers);
    int steps = 0;
    time_point at{};
    while (t.active() && steps < 50) {
      at = t.next_deadline();
      t.on_time(at, reliable, timers);
      ++steps;
    }
    EXPECT_EQ(steps, expected) << status;
    EXPECT_EQ(at - t0, 32s);
  }
}

TEST(transaction, timers_i_j_and_l) {
  EXPECT_EQ(server_in(confirmed, true, false).next_deadline() - t0, 5s);
  EXPECT_EQ(server_in(completed, false, false).next_deadline() - t0, 32s);
  auto t = server_in(accepted, true, false);
  t.on_ack(t0, false, timers);
  EXPECT_EQ(t.next_deadline() - t0, 32s);
  EXPECT_EQ(bits_of(t.on_time(t0 + 32s, false, timers)), "x");
}

} // namespace
} // namespace jackfield::sip
