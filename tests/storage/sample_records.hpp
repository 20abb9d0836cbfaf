#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "storage/centre_records.hpp"
#include "storage/records.hpp"

/// Records in which every field has a value of its own.
namespace jackfield::storage {

inline wall_time sample_time(int64_t seconds) {
  return wall_time{std::chrono::seconds{1'700'000'000 + seconds} + std::chrono::nanoseconds{7}};
}

inline run_record sample_run() {
  run_record run;
  run.command = "jackfield load --calls 3 --json x";
  run.kind = "load";
  run.started = sample_time(0);
  run.ended = sample_time(60);
  run.ended_by = "signal";
  run.seed = 42;
  run.embedded = true;
  run.plan = "jackfield load --calls 3";
  run.lanes = 2;
  run.resumed = 5;
  return run;
}

inline bindings_record sample_bindings() {
  return {
    {{"<sip:alice@192.0.2.7:5060;transport=tcp>", sample_time(3600), "b7@192.0.2.7", 7, false},
     {"\"Desk\" <sip:alice@192.0.2.8>;q=0.5", sample_time(60), "c8@192.0.2.8", 2, true}}};
}

inline registration_record sample_registration() {
  registration_record made;
  made.aor = "sip:alice@example.com";
  made.contact = "<sip:192.0.2.7:5060;transport=tcp>";
  made.call_id = "aaaaaciaaaaactfo44zsgdcbiq";
  made.cseq = 7;
  made.leg = "aaaaaciaaaaactfo44zsgdcbia";
  made.registrar = "sip:example.com";
  made.route = "<sip:proxy.example.com;lr>";
  made.target = "tcp 192.0.2.1:5060";
  made.host = "example.com";
  made.local = "192.0.2.7:5062";
  made.expires = 3600;
  made.started = sample_time(1);
  made.registered = sample_time(2);
  made.until = sample_time(3602);
  return made;
}

inline queueing_record sample_queueing() {
  return {"support", -3, sample_time(2), "alice", sample_time(5), "answered", "1928301775"};
}

inline agent_record sample_agent() {
  using namespace std::chrono_literals;
  agent_record agent;
  agent.logged_in = agent.registered = agent.paused = true;
  agent.pause_pending = agent.log_out_pending = agent.direct_call = true;
  agent.pause_reason = "lunch";
  agent.call_since = sample_time(10);
  agent.call_wrap_up = 11s;
  agent.wrap_up_until = sample_time(12);
  agent.rest_until = sample_time(13);
  agent.available_since = sample_time(14);
  agent.answered_calls = 15;
  agent.talk_time = 16s;
  agent.unanswered = 17;
  return agent;
}

inline queue_record sample_queue() {
  using namespace std::chrono_literals;
  queue_record queue;
  queue.offered = 20;
  queue.refused = 21;
  queue.answered = 3;
  queue.abandoned = 4;
  queue.overflowed = 5;
  queue.withdrawn = 6;
  queue.answered_within = 2;
  queue.abandoned_within = 1;
  queue.answered_wait = 22s;
  queue.abandoned_wait = 23s;
  queue.longest_wait = 24s;
  queue.between = 25s;
  queue.intervals = 8;
  queue.turns = {{1, 26, 27}, {2, 28, 29}};
  return queue;
}

inline callback_record sample_callback() {
  return {"their-call",
          "sip:+491@192.0.2.1",
          "sip:100@192.0.2.2",
          "+491",
          "support",
          -3,
          sample_time(2),
          1,
          true};
}

inline call_record sample_call() {
  call_record call;
  call.incoming = true;
  call.bridged = true;
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
  auto& media = call.media.emplace();
  media.port = 40'000;
  media.agreed = {
    3,
    sdp::direction::sendonly,
    true,
    sdp::protection::sdes,
    sdp::setup::passive,
    sdp::media_layout{
      {{"video", "RTP/AVP", "31"}, {"audio", "RTP/SAVP", "0"}}, 1, "a1", true, {0, 8, 101}}};
  media.codecs = {"PCMU/8000/1", "opus/48000/2"};
  call.registered_as = "sip:bob@example.com";
  call.due = sample_time(0);
  call.first_response = sample_time(3);
  call.ringing = sample_time(4);
  call.queueing = sample_queueing();
  return call;
}

inline call_figures sample_figures() {
  using namespace std::chrono_literals;
  call_figures f;
  f.due = -1ms;
  f.first_response = 2ms;
  f.ringing = 3ms;
  f.final_response = 4ms;
  f.acknowledged = 5ms;
  f.bye_sent = 6ms;
  f.local_bye = true;
  f.requests = 7;
  f.retransmissions = 8;
  f.failovers = 9;
  f.hold = {10, 11};
  f.resume = {12, 13};
  f.ice_restart = {14, 15};
  f.info_digit = {16, 17};
  auto& a = f.media.emplace();
  a.connected = a.heard = true;
  a.sent = 18;
  a.received = 19;
  a.expected = 20;
  a.lost = 21;
  a.recovered = 22;
  a.duplicates = 23;
  a.reordered = 24;
  a.discarded = 25;
  a.jitter = 26us;
  a.mos = 4.4;
  a.remote = call_figures::audio::report{-27, 28us, 4.3};
  a.round_trip = 29us;
  a.digits_sent = 30;
  a.digits_received = 31;
  a.strangers = 32;
  a.forged = 33;
  a.replayed = 34;
  a.malformed = 35;
  a.unauthenticated = 36;
  a.gathering = 37us;
  a.checks = 38us;
  a.handshake = 39us;
  return f;
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
  auto made = end;
  made.figures = sample_figures();
  made.queueing = sample_queueing();
  return {{sample_time(0), run_started{12}},
          {sample_time(3), end},
          {sample_time(4), made},
          {sample_time(5), run_resumed{12}},
          {sample_time(6), run_progress{12, 1, 77, 8, 9}},
          {sample_time(60), run_ended{12, "signal"}}};
}

} // namespace jackfield::storage
