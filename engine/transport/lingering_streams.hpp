#pragma once

#include <deque>
#include <memory>

#include "engine/lane/lane.hpp"

namespace jackfield::transport {

/// Finished streams on their way out: each is kept until its last bytes have been taken, and a
/// little longer, so that what its peer still sends does not reset it. Bounded in time and number.
class lingering_streams {
public:
  explicit lingering_streams(lane::lane& home);
  /// Takes a stream that `finish` was called on.
  void add(std::unique_ptr<lane::stream_socket> stream);

private:
  struct entry {
    std::unique_ptr<lane::stream_socket> stream;
    lane::time_point since;
  };
  void drop_old();

  lane::lane& home_;
  std::deque<entry> streams_;
  lane::timer timer_;
};

} // namespace jackfield::transport
