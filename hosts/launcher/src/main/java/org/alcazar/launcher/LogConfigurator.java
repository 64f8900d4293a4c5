package org.alcazar.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Sets the log up without a file to search for and parse: standard error, warnings and worse unless
 * the system property {@value #LEVEL} says otherwise. Where that property is missing (tests)
 * logback looks for a file as usual.
 */
public final class LogConfigurator extends ContextAwareBase implements Configurator {
    /** {@code warn}, {@code info}, {@code debug} or {@code trace}. */
    static final String LEVEL = "alcazar.log";

    @Override
    public ExecutionStatus configure(LoggerContext loggers) {
        String level = System.getProperty(LEVEL);
        if (level == null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        Line line = new Line();
        line.setContext(loggers);
        line.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(loggers);
        encoder.setLayout(line);
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(loggers);
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        Logger root = loggers.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.toLevel(level, Level.WARN));
        root.addAppender(appender);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /** {@code alcazar: warn [linux] JvmClock: message}. */
    private static final class Line extends LayoutBase<ILoggingEvent> {
        @Override
        public String doLayout(ILoggingEvent event) {
            String logger = event.getLoggerName();
            StringBuilder line =
                    new StringBuilder("alcazar: ")
                            .append(event.getLevel().toString().toLowerCase(java.util.Locale.ROOT));
            String vm = event.getMDCPropertyMap().get("vm");
            if (vm != null) {
                String vcore = event.getMDCPropertyMap().get("vcore");
                line.append(" [").append(vm).append(vcore == null ? "" : "/" + vcore).append(']');
            }
            line.append(' ')
                    .append(logger.substring(logger.lastIndexOf('.') + 1))
                    .append(": ")
                    .append(event.getFormattedMessage())
                    .append('\n');
            if (event.getThrowableProxy() != null) {
                line.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
            }
            return line.toString();
        }
    }
}
