package org.alcazar.devices.rtc;

/** The proleptic Gregorian calendar, without allocation. Days count from 1970-01-01, a Thursday. */
final class Calendar {
    static final int SECONDS_PER_DAY = 86_400;

    private static final int YEARS_PER_ERA = 400;
    private static final int DAYS_PER_ERA = 146_097;

    /** From 0000-03-01 to 1970-01-01. */
    private static final int EPOCH = 719_468;

    private Calendar() {}

    /** The day's number. Years begin in March here, so that the leap day is the last one. */
    static long day(int year, int month, int dayOfMonth) {
        int y = month <= 2 ? year - 1 : year;
        int era = Math.floorDiv(y, YEARS_PER_ERA);
        int yearOfEra = y - era * YEARS_PER_ERA;
        int dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + dayOfMonth - 1;
        int dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return (long) era * DAYS_PER_ERA + dayOfEra - EPOCH;
    }

    /** Year, month and day of the month in bits 16 to 31, 8 to 15 and 0 to 7. */
    static int date(long day) {
        long shifted = day + EPOCH;
        int era = (int) Math.floorDiv(shifted, (long) DAYS_PER_ERA);
        int dayOfEra = (int) (shifted - (long) era * DAYS_PER_ERA);
        int yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int m = (5 * dayOfYear + 2) / 153;
        int dayOfMonth = dayOfYear - (153 * m + 2) / 5 + 1;
        int month = m < 10 ? m + 3 : m - 9;
        int year = yearOfEra + era * YEARS_PER_ERA + (month <= 2 ? 1 : 0);
        return year << 16 | month << 8 | dayOfMonth;
    }

    /** 1 is Sunday. */
    static int dayOfWeek(long day) {
        return (int) Math.floorMod(day + 4, 7L) + 1;
    }
}
