#include "storage/records.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/sample_records.hpp"

namespace jackfield::storage {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;
using testing::Optional;

TEST(records, come_back_with_every_field) {
  EXPECT_EQ(unpack_run(pack(sample_run())).value(), sample_run());
  EXPECT_EQ(unpack_call(pack(sample_call())).value(), sample_call());
  EXPECT_EQ(unpack_bindings(pack(sample_bindings())).value(), sample_bindings());
  EXPECT_EQ(unpack_registration(pack(sample_registration())).value(), sample_registration());
  for (const auto& event : sample_events())
    EXPECT_EQ(unpack_event(pack(event)).value(), event);
}

TEST(records, come_back_with_none) {
  EXPECT_EQ(unpack_run(pack(run_record{})).value(), run_record{});
  EXPECT_EQ(unpack_call(pack(call_record{})).value(), call_record{});
  EXPECT_EQ(unpack_event(pack(event_record{})).value(), event_record{});
  EXPECT_EQ(unpack_registration(pack(registration_record{})).value(), registration_record{});
  auto call = sample_call();
  call.answered.reset();
  call.dialog->remote_cseq.reset();
  EXPECT_EQ(unpack_call(pack(call)).value(), call);
  call.dialog->remote_cseq = 0;
  EXPECT_EQ(unpack_call(pack(call)).value(), call) << "zero is not the same as none";
  call.dialog.reset();
  EXPECT_EQ(unpack_call(pack(call)).value(), call);
  call.media->agreed.layout->mid.reset();
  EXPECT_EQ(unpack_call(pack(call)).value(), call);
  call.media->agreed.layout.reset();
  EXPECT_EQ(unpack_call(pack(call)).value(), call);
  call_ended made;
  made.figures.emplace();
  EXPECT_EQ(unpack_event(pack(event_record{{}, made})).value(), (event_record{{}, made}));
  made.figures->media.emplace();
  EXPECT_EQ(unpack_event(pack(event_record{{}, made})).value(), (event_record{{}, made}));
}

TEST(records, of_media_that_cannot_be_are_passed_over) {
  auto call = sample_call();
  call.media->agreed.layout->audio = 2; // of two lines
  EXPECT_FALSE(unpack_call(pack(call)).value().media);
  call = sample_call();
  call.media->agreed.way = static_cast<sdp::direction>(4);
  EXPECT_FALSE(unpack_call(pack(call)).value().media);
  call = sample_call();
  call.media->agreed.protected_by = static_cast<sdp::protection>(3);
  EXPECT_FALSE(unpack_call(pack(call)).value().media);
}

TEST(records, keep_bytes_of_the_peer_that_are_no_text) {
  const auto odd = "\xff\xfe\xc3(\x00\r\n\x80"s;
  call_record call;
  call.call_id = call.from = call.to = odd;
  call.dialog.emplace();
  call.dialog->call_id = call.dialog->remote_party = call.dialog->remote_tag = odd;
  call.dialog->remote_target = call.dialog->route_set = odd;
  EXPECT_EQ(unpack_call(pack(call)).value(), call);
  call_ended end;
  end.call_id = end.from = end.to = odd;
  const event_record event{{}, end};
  EXPECT_EQ(unpack_event(pack(event)).value(), event);
  run_record run;
  run.command = odd;
  EXPECT_EQ(unpack_run(pack(run)).value(), run);
}

TEST(records, begin_with_the_version_of_their_layout) {
  EXPECT_EQ(pack(sample_run()).front(), '\x01');
  EXPECT_EQ(pack(sample_call()).front(), '\x01');
  EXPECT_EQ(pack(sample_registration()).front(), '\x01');
  for (const auto& event : sample_events())
    EXPECT_EQ(pack(event).front(), '\x01');
}

TEST(records, of_another_version_are_refused_by_name) {
  auto bytes = pack(sample_call());
  bytes.front() = '\x02';
  const auto later = unpack_call(bytes);
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().cause, HasSubstr("a call of layout version 2, expected 1"));
  bytes.front() = '\xff';
  EXPECT_THAT(unpack_event(bytes).error().cause, HasSubstr("an event of layout version 255"));
  EXPECT_THAT(unpack_run("").error().cause, HasSubstr("a run of layout version none"));
  auto user = pack(sample_registration());
  user.front() = '\x02';
  EXPECT_THAT(unpack_registration(user).error().cause,
              HasSubstr("a registration of layout version 2, expected 1"));
}

TEST(records, of_an_event_that_a_later_version_added_keep_their_time) {
  // Event { at = 5; 100: "x" }, as a later .proto may have it.
  const auto event = unpack_event("\x01\x08\x05\xa2\x06\x01x"s);
  ASSERT_TRUE(event) << event.error().to_string();
  EXPECT_EQ(event->at.time_since_epoch().count(), 5);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(event->what));
}

TEST(records, that_are_garbage_are_refused) {
  for (const auto& bytes : {"\x01\xff"s, "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
                            "\x01\x12\x7f short"s, "\x01\x07"s, "\x01\x00"s}) {
    EXPECT_FALSE(unpack_run(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_call(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_event(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_bindings(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_registration(bytes)) << testing::PrintToString(bytes);
  }
  EXPECT_THAT(unpack_run("\x01\xff"s).error().cause, HasSubstr("a run that cannot be read"));
}

TEST(records, that_are_cut_off_are_refused_or_are_others) {
  // Cut between two fields, a message is one with fewer: never the same, and never a crash.
  const auto call = pack(sample_call());
  for (size_t size = 0; size < call.size(); ++size) {
    const auto read = unpack_call(std::string_view{call}.substr(0, size));
    EXPECT_TRUE(!read || *read != sample_call()) << size;
  }
  for (const auto& event : sample_events()) {
    const auto bytes = pack(event);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto read = unpack_event(std::string_view{bytes}.substr(0, size));
      EXPECT_TRUE(!read || *read != event) << size;
    }
  }
}

TEST(record_keys, are_these_bytes) {
  EXPECT_EQ(run_key(0x0102030405060708), "\x01\x02\x03\x04\x05\x06\x07\x08"s);
  EXPECT_EQ(event_key(300), "\x00\x00\x00\x00\x00\x00\x01\x2c"s);
  EXPECT_EQ(event_key(UINT64_MAX), "\xff\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(key_of({12, 1042}),
            "\x00\x00\x00\x00\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x04\x12"s);
  EXPECT_EQ((call_key{12, 1042}.text()), "12-1042");
  EXPECT_EQ(bindings_key("alice@example.com"), "aalice@example.com");
  EXPECT_EQ(address_of_key("aalice@example.com"), "alice@example.com");
  EXPECT_FALSE(address_of_key("a"));
  EXPECT_FALSE(address_of_key("balice@example.com"));
  EXPECT_EQ(registration_key({12, 1042}), "r" + key_of({12, 1042}));
  EXPECT_LT(std::string{first_registration_key()}, registration_key({0, 0}));
  EXPECT_LT(registration_key({UINT64_MAX, UINT64_MAX}), end_of_registration_keys());
  EXPECT_FALSE(address_of_key(registration_key({12, 1042})));
  EXPECT_FALSE(registration_of_key(bindings_key("sixteen characte")));
}

TEST(record_keys, come_back_and_keep_their_order) {
  std::string before;
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256},
                                uint64_t{1} << 32U, uint64_t{1} << 63U, UINT64_MAX}) {
    EXPECT_THAT(number_of_key(event_key(number)), Optional(number));
    EXPECT_THAT(call_of_key(key_of({number, ~number})), Optional(call_key{number, ~number}));
    EXPECT_THAT(registration_of_key(registration_key({number, ~number})),
                Optional(call_key{number, ~number}));
    EXPECT_LT(before, event_key(number));
    before = event_key(number);
  }
  EXPECT_LT(key_of({1, UINT64_MAX}), key_of({2, 0}));
}

TEST(record_keys, of_another_length_are_none) {
  EXPECT_EQ(number_of_key(""), std::nullopt);
  EXPECT_EQ(number_of_key("1234567"), std::nullopt);
  EXPECT_EQ(number_of_key("123456789"), std::nullopt);
  EXPECT_EQ(call_of_key("123456789012345"), std::nullopt);
  EXPECT_EQ(call_of_key("12345678"), std::nullopt);
  EXPECT_EQ(registration_of_key("r12345678"), std::nullopt);
  EXPECT_EQ(registration_of_key(""), std::nullopt);
}

} // namespace
} // namespace jackfield::storage
