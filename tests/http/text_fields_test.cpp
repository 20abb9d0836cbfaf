#include "app/http/text_fields.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::array<std::string_view, 2> known{"state", "reason"};

auto read(std::string body, std::string type = "application/json") {
  request made;
  made.content_type = std::move(type);
  made.body = std::move(body);
  return read_text_fields(made, known);
}

TEST(text_fields, are_the_members_of_an_object) {
  EXPECT_THAT(read(R"({"state":"paused","reason":"caf\u00e9"})").value(),
              ElementsAre(Pair("reason", "caf\xc3\xa9"), Pair("state", "paused")));
  EXPECT_THAT(read("{}").value(), ElementsAre());
  EXPECT_TRUE(read("{}", "Application/JSON; charset=utf-8"));
}

TEST(text_fields, of_another_type_are_415) {
  for (const auto* const type :
       {"", "text/plain", "application/json5", "application/x-www-form-urlencoded"})
    EXPECT_EQ(read("{}", type).error().status, 415u) << type;
}

TEST(text_fields, faults_name_the_member) {
  const auto expect_fault = [](const std::string& body, const std::string& field) {
    const auto fields = read(body);
    ASSERT_FALSE(fields) << body;
    EXPECT_EQ(fields.error().status, 400u) << body;
    EXPECT_EQ(fields.error().content_type, "application/problem+json");
    EXPECT_THAT(fields.error().body, HasSubstr("\"field\":\"" + field + "\"")) << body;
  };
  expect_fault(R"({"colour":"red"})", "colour");
  expect_fault(R"({"state":1})", "state");
  expect_fault(R"({"state":-1})", "state");
  expect_fault(R"({"state":1.5})", "state");
  expect_fault(R"({"state":null})", "state");
  expect_fault(R"({"state":true})", "state");
  expect_fault(R"({"state":["ready"]})", "state");
  expect_fault(R"({"state":{"state":"ready"}})", "state");
  expect_fault(R"({"state":"ready","state":"paused"})", "state");
  expect_fault(R"({"reason":"a\r\nb"})", "reason");
  expect_fault(R"({"reason":"a\u0000b"})", "reason");
  expect_fault(R"({"reason":"a\u0085b"})", "reason");
  expect_fault(R"({"reason":")" + std::string(257, 'a') + R"("})", "reason");
  EXPECT_TRUE(read(R"({"reason":")" + std::string(256, 'a') + R"("})"));
}

TEST(text_fields, of_what_is_no_json_are_400) {
  for (const std::string& body :
       {std::string{}, std::string{"{"}, std::string{"[]"}, std::string{"\"ready\""},
        std::string{"1"}, std::string{"{\"state\":\"ready\"} x"},
        std::string{"{\"state\":\"\xff\"}"}, std::string{"{'state':'ready'}"},
        std::string{"{\"state\":\"a\nb\"}"}, std::string{"{\"state\":\"ready\",}"},
        std::string(65'536, '['), "{\"state\":" + std::string(60'000, '[')}) {
    const auto fields = read(body);
    ASSERT_FALSE(fields) << body.substr(0, 40);
    EXPECT_EQ(fields.error().status, 400u) << body.substr(0, 40);
  }
}

} // namespace
} // namespace jackfield::http
