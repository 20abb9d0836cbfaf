#include "engine/lane/sim_lane.hpp"

#include <algorithm>
#include <utility>

#include "engine/lane/sim_network.hpp"
#include "engine/lane/sim_streams.hpp"

namespace jackfield::lane {

namespace {

/// The network draws from a sequence of its own, so that a link's fate does not depend on how many
/// random numbers the simulated program takes.
constexpr uint64_t network_seed = 0x6a61636b66696c64U;

} // namespace

sim_lane::sim_lane(caf::actor_system& system, uint64_t seed, unsigned index,
                   timer_wheel::ticks ticks)
    : lane(system, index, start, ticks), random_(seed),
      network_(std::make_unique<sim_network>(*this, health_, seed ^ network_seed)) {
  claim_thread();
}

sim_lane::~sim_lane() {
  abandon_inbox();
}

void sim_lane::set_link(const sim_link& link) {
  network_->set_link(link);
}

void sim_lane::set_link(const endpoint& from, const endpoint& to, const sim_link& link) {
  network_->set_link(from, to, link);
}

void sim_lane::set_partition(const endpoint& a, const endpoint& b, bool cut) {
  network_->set_partition(a, b, cut);
}

void sim_lane::kill_host(const endpoint& host) {
  network_->kill_host(host);
}

time_point sim_lane::next_event() {
  return std::max(now_, std::min(wheel_.next_event(), network_->next_event()));
}

bool sim_lane::settle() {
  bool any = false;
  for (bool more = true; more; any = any || more) {
    // One after the other: their order decides what the run does.
    more = drain_inbox();
    more = run_ready() || more;
    more = network_->streams().flush() || more;
  }
  return any;
}

bool sim_lane::step() {
  claim_thread();
  if (settle()) // posted between passes: done at the present instant
    return true;
  const time_point next = next_event();
  if (next == time_point::max())
    return false;
  begin_pass(next, next - lag_);
  wheel_.advance(next);
  network_->deliver();
  settle();
  return true;
}

bool sim_lane::run_until(time_point until) {
  claim_thread();
  for (;;) {
    settle();
    const time_point next = next_event();
    if (next == time_point::max())
      return true;
    if (next > until)
      break;
    step();
  }
  if (until > now_) {
    now_ = until;
    wheel_.advance(until); // nothing is due: deadlines armed from here count from `until`
  }
  return false;
}

void sim_lane::go_on_to(time_point to) {
  claim_thread();
  begin_pass(to, to - lag_);
}

void sim_lane::run() {
  while (step())
    ;
}

void sim_lane::set_event_log(std::function<void(std::string_view)> sink) {
  network_->log().set_sink(std::move(sink));
}

uint64_t sim_lane::event_digest() const noexcept {
  return network_->log().digest();
}

std::chrono::system_clock::time_point sim_lane::wall_now() const {
  return wall_start + std::chrono::duration_cast<std::chrono::system_clock::duration>(now_ - start);
}

void sim_lane::random_bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    uint64_t word = random_.next();
    const size_t count = std::min(out.size(), sizeof word);
    for (size_t i = 0; i < count; ++i, word >>= 8)
      out[i] = static_cast<std::byte>(word & 0xff);
    out = out.subspan(count);
  }
}

result<std::unique_ptr<datagram_socket>> sim_lane::open_datagram(const endpoint& local,
                                                                 datagram_handler& handler,
                                                                 const datagram_options& options) {
  return network_->open_datagram(local, handler, options);
}

result<std::unique_ptr<datagram_socket>>
sim_lane::adopt_datagram(int /*fd*/, datagram_handler& /*handler*/,
                         const datagram_options& /*options*/) {
  return fail("simulated lane", "has no descriptors, expected a socket of its own");
}

result<std::unique_ptr<stream_listener>>
sim_lane::listen(const endpoint& local, accept_handler& handler, port_sharing /*sharing*/) {
  return network_->streams().listen(local, handler);
}

result<std::unique_ptr<stream_socket>>
sim_lane::connect(const endpoint& remote, stream_handler& handler, const endpoint& local) {
  return network_->streams().connect(remote, handler, local);
}

result<void> sim_lane::watch(int /*fd*/, bool /*readable*/, bool /*writable*/,
                             std::function<void(bool, bool)> /*ready*/) {
  return fail("simulated lane", "has no file descriptors to watch");
}

} // namespace jackfield::lane
