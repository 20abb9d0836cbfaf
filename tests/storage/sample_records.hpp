#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "storage/records.hpp"

/// Records in which every field has a value of its own.
namespace jackfield::storage {

inline wall_time sample_time(int64_t seconds) {
  return wall_time{std::chrono::seconds{1'700'000'000 + seconds} + std::chrono::nanoseconds{7}};
}

inline run_record sample_run() {
  return {"jackfield load --calls 3", "load", sample_time(0), sample_time(60), "signal", 42};
}

inline call_record sample_call() {
  call_record call;
  call.incoming = true;
  call.call_id = "a84b4c76e66710@192.0.2.1";
  call.from = "sip:alice@example.com";
  call.to = "sip:bob@example.com";
  call.started = sample_time(1);
  call.answered = sample_time(2);
  call.leg = "1928301774";
  call.target = "tcp 192.0.2.7:5060";
  call.dialog = sip::dialog_record{"1928301774",
                                   "a84b4c76e66710@192.0.2.1",
                                   "\"Bob\" <sip:bob@example.com>;tag=1928301774",
                                   "1928301774",
                                   "Alice <sip:alice@example.com>;tag=a6c85cf",
                                   "a6c85cf",
                                   "sip:alice@192.0.2.1:5062",
                                   "<sip:proxy1.example.com;lr>, <sip:proxy2.example.com;lr>",
                                   "<sip:bob@192.0.2.7>",
                                   314159,
                                   271828,
                                   314158,
                                   17,
                                   true,
                                   true};
  return call;
}

inline std::vector<event_record> sample_events() {
  call_ended end;
  end.call = {12, 1042};
  end.incoming = true;
  end.call_id = "a84b4c76e66710@192.0.2.1";
  end.from = "sip:alice@example.com";
  end.to = "sip:bob@example.com";
  end.started = sample_time(1);
  end.answered = sample_time(2);
  end.ended = sample_time(3);
  end.cause = "busy";
  end.status = 486;
  return {{sample_time(0), run_started{12}},
          {sample_time(3), end},
          {sample_time(60), run_ended{12, "signal"}}};
}

} // namespace jackfield::storage
