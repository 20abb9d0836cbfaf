#pragma once

#include <memory>

#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/rtp/stream_host.hpp"

namespace jackfield {

/// Hears what a stream hears, on the stream's lane, before anything else is done with it.
class heard_tap {
public:
  virtual ~heard_tap() = default;
  /// It must not wait. False: no more of it.
  virtual bool on_heard(const rtp::heard_packet& packet) = 0;
};

/// To a stream, from its own lane: `by` hears what it hears from now on.
struct media_tap {
  std::shared_ptr<heard_tap> by;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_tap)
