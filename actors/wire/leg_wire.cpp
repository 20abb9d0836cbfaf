#include "actors/wire/leg_wire.hpp"

#include <utility>

namespace jackfield {

namespace {

/// Messages of one leg that may wait for a look-up; a leg retransmits what it needs.
constexpr size_t most_waiting = 8;

const transport::open_settings& no_settings() {
  static const transport::open_settings instance;
  return instance;
}

} // namespace

result<void> leg_wire::open(const transport::target& target,
                            std::shared_ptr<const transport::open_settings> connections) {
  auto first = router_.transport().open(target.protocol, target.remote,
                                        connections ? *connections : no_settings());
  if (!first)
    return tl::unexpected{std::move(first.error())};
  if (!open(*first, std::move(connections)))
    return fail("lane " + std::to_string(owner_.home().index()), "has no room for another leg");
  pinned_ = true;
  return {};
}

bool leg_wire::open(const transport::flow& source,
                    std::shared_ptr<const transport::open_settings> connections) {
  const auto id = router_.legs().open(owner_);
  if (id)
    begin(*id, source, std::move(connections));
  return id.has_value();
}

result<void> leg_wire::adopt(const sip::leg_id& id, const transport::target& target,
                             std::shared_ptr<const transport::open_settings> connections) {
  auto first = router_.transport().open(target.protocol, target.remote,
                                        connections ? *connections : no_settings());
  if (!first)
    return tl::unexpected{std::move(first.error())};
  if (!router_.legs().adopt(owner_, id))
    return fail("lane " + std::to_string(owner_.home().index()),
                "cannot take up leg " + std::string{id.text().data(), sip::leg_id::text_size});
  begin(id, *first, std::move(connections));
  return {};
}

void leg_wire::begin(const sip::leg_id& id, const transport::flow& source,
                     std::shared_ptr<const transport::open_settings> connections) {
  id_ = id;
  out_ = invite_source_ = request_source_ = source;
  connections_ = std::move(connections);
  open_ = true;
  router_.attach(id_, out_);
}

void leg_wire::close() noexcept {
  if (std::exchange(open_, false))
    router_.legs().close(id_);
}

void leg_wire::send(const sip::outgoing& message) {
  if (message.retransmission)
    ++counters_.retransmissions;
  else if (message.status == 0)
    ++counters_.requests;
  switch (message.to) {
  case sip::send_to::invite_source:
    send_over(invite_source_, message.text, message.rank);
    return;
  case sip::send_to::request_source:
    send_over(request_source_, message.text, message.rank);
    return;
  case sip::send_to::again:
    if (waiting_.empty())
      send_over(out_, message.text, message.rank);
    return;
  case sip::send_to::aside:
    send_aside(message);
    return;
  case sip::send_to::next_hop:
    break;
  }
  if (std::exchange(pinned_, false)) {
    send_over(out_, message.text, message.rank);
    return;
  }
  const auto& connections = connections_ ? *connections_ : no_settings();
  const auto found = router_.hops().locate_now(message.next_hop, out_, connections);
  if (!found) {
    failed_ = true;
  } else if (*found) {
    if (**found != out_) {
      out_ = **found;
      router_.attach(id_, out_);
    }
    send_over(out_, message.text, message.rank);
  } else if (waiting_.size() < most_waiting) {
    waiting_.push_back({std::string{message.text}, message.rank});
    if (waiting_.size() == 1)
      router_.hops().locate(message.next_hop, connections, owner_, ++ticket_);
  }
}

void leg_wire::send_aside(const sip::outgoing& message) {
  if (!open_)
    return;
  // Where that takes a look-up, whoever passed the answer on is asked to pass this on too.
  const auto found =
    router_.hops().locate_now(message.next_hop, out_, connections_ ? *connections_ : no_settings());
  if (found)
    (void)router_.send(*found ? **found : out_, message.text, message.rank);
}

void leg_wire::on_located(flow_located& found) {
  if (found.ticket != ticket_)
    return;
  const auto texts = std::exchange(waiting_, {});
  if (!found.where) {
    failed_ = true;
    return;
  }
  out_ = *found.where;
  router_.attach(id_, out_);
  for (const auto& w : texts)
    send_over(out_, w.text, w.rank);
}

void leg_wire::send_over(const transport::flow& to, std::string_view text, sip::send_rank rank) {
  if (!open_ || !router_.send(to, text, rank))
    failed_ = true;
}

} // namespace jackfield
