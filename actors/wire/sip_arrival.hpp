#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/intrusive_ptr.hpp>

#include "engine/lane/timer_wheel.hpp"
#include "engine/sip/message.hpp"
#include "engine/transport/flow.hpp"

namespace jackfield {

/// A SIP message that came in: its bytes, the parsed table over them, and where it came from. Goes
/// to the actor that owns it as a `sip_arrival_ptr`; immutable from then on. Lives on one lane's
/// thread, where spent arrivals are kept for reuse with their buffers.
class sip_arrival {
public:
  /// Copies and parses. `datagram` as in `sip::message::parse`.
  static caf::intrusive_ptr<sip_arrival> make(const transport::flow& from, std::string_view bytes,
                                              lane::time_point arrived);

  [[nodiscard]] const transport::flow& from() const noexcept { return from_; }
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
  [[nodiscard]] const sip::message& message() const noexcept { return message_; }
  [[nodiscard]] sip::parse_verdict verdict() const noexcept { return verdict_; }
  [[nodiscard]] lane::time_point arrived() const noexcept { return arrived_; }

private:
  friend void intrusive_ptr_add_ref(sip_arrival* p) noexcept { ++p->references_; }
  friend void intrusive_ptr_release(sip_arrival* p) noexcept;

  transport::flow from_;
  lane::time_point arrived_{};
  std::string bytes_;
  sip::message message_;
  sip::parse_verdict verdict_ = sip::parse_verdict::garbage;
  uint32_t references_ = 0;
};

using sip_arrival_ptr = caf::intrusive_ptr<sip_arrival>;

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::sip_arrival_ptr)
